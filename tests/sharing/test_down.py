"""The order in which an appliance carries out what the collector wants, whatever fails."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from firmware.errors import FarEndUnreachable, ServiceError
from firmware.ports import Acknowledgement, Change, DownChannel, News
from firmware.storage.shared_store import SharedStore
from firmware.sync.down import Down, that_fit
from firmware.uplink_contract.limits import MOST_OTHER_BYTES
from tests.storage.conftest import StepClock


class FakeCollector:
    """Changes in answers of two; the wire can be cut."""

    def __init__(self, *changes: Change) -> None:
        self.all = list(changes)
        self.told: list[Acknowledgement] = []
        self.cut_at: str | None = None

    async def changes(self, after: int) -> News:
        self._maybe_cut("changes")
        found = [change for change in self.all if change.number > after][:2]
        return News(found, found[-1].number if found else max([after, *(change.number for change in self.all)]))

    async def acknowledge(self, acknowledgements: Sequence[Acknowledgement]) -> None:
        self._maybe_cut("acknowledge")
        self.told += acknowledgements

    async def fetch(self, sha256: str, byte_count: int, target: Path) -> None:
        self._maybe_cut("fetch")

    def _maybe_cut(self, at: str) -> None:
        if self.cut_at == at:
            raise FarEndUnreachable("the wire is cut")


class Taker:
    """Notes what it carries out; fails or refuses where it is told to."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.failing: set[int] = set()
        self.refusing: set[int] = set()
        self.fetching: set[int] = set()

    async def take(self, change: Change, channel: DownChannel) -> Acknowledgement:
        if change.number in self.fetching:
            await channel.fetch("", 0, Path())
        if change.number in self.failing:
            raise ServiceError("calls is not running")
        self.taken.append(change.number)
        return Acknowledgement(change.number, change.number not in self.refusing, "why not")


def contact(number: int, key: str | None = None) -> Change:
    return Change(number, "contact", key or f"+86{number}", number, {"name": "Li"})


def erase(number: int) -> Change:
    return Change(number, "erase", f"receipt-{number}", number, {"caller": "13800138000"})


@pytest.fixture
def taker() -> Taker:
    return Taker()


@pytest.fixture
def progress(tmp_path: Path) -> SharedStore:
    return SharedStore(tmp_path, StepClock())


def down_of(collector: FakeCollector, progress: SharedStore, taker: Taker) -> Down:
    return Down(collector, progress, {"contact": taker, "erase": taker})


async def test_erasures_come_first_and_the_rest_in_order(progress: SharedStore, taker: Taker) -> None:
    collector = FakeCollector(contact(1), contact(2), contact(3), erase(4), contact(5))
    await down_of(collector, progress, taker).run_once()
    assert taker.taken == [4, 1, 2, 3, 5]
    assert [one.number for one in collector.told] == [1, 2, 3, 4, 5]
    assert await progress.number() == 5


async def test_nothing_is_done_twice(progress: SharedStore, taker: Taker) -> None:
    collector = FakeCollector(contact(1), erase(2))
    down = down_of(collector, progress, taker)
    await down.run_once()
    await down.run_once()
    assert taker.taken == [2, 1]
    assert len(collector.told) == 2


async def test_what_fails_is_tried_again_and_holds_up_nothing(progress: SharedStore, taker: Taker) -> None:
    collector = FakeCollector(erase(1), contact(2), contact(3))
    down = down_of(collector, progress, taker)
    taker.failing = {1, 2}
    await down.run_once()
    assert (taker.taken, down.erasures_wait, down.trouble) == ([3], True, "calls is not running")
    taker.failing = set()
    await down.run_once()
    assert (taker.taken, down.erasures_wait, down.trouble) == ([3, 1, 2], False, None)


async def test_what_is_refused_is_told_with_its_reason_and_never_asked_again(
    progress: SharedStore, taker: Taker
) -> None:
    collector = FakeCollector(contact(1), contact(2))
    down = down_of(collector, progress, taker)
    taker.refusing = {1}
    await down.run_once()
    await down.run_once()
    assert collector.told == [Acknowledgement(1, False, "why not"), Acknowledgement(2, True, "why not")]
    assert taker.taken == [1, 2]


async def test_a_kind_that_nobody_knows_is_refused(progress: SharedStore, taker: Taker) -> None:
    collector = FakeCollector(Change(1, "spell", "abracadabra", 1, {}), contact(2))
    await down_of(collector, progress, taker).run_once()
    assert [one.done for one in collector.told] == [False, True]
    assert "update it" in collector.told[0].reason


async def test_a_newer_version_takes_the_place_of_one_that_waits(progress: SharedStore, taker: Taker) -> None:
    collector = FakeCollector(contact(1, "+8610"))
    down = down_of(collector, progress, taker)
    taker.failing = {1}
    await down.run_once()
    collector.all = [contact(2, "+8610")]
    taker.failing = set()
    await down.run_once()
    assert taker.taken == [2]


@pytest.mark.parametrize("cut_at", ["changes", "acknowledge", "fetch"])
async def test_a_cut_wire_loses_nothing(progress: SharedStore, taker: Taker, cut_at: str) -> None:
    collector = FakeCollector(contact(1), contact(2), contact(3))
    taker.fetching = {2}
    collector.cut_at = cut_at
    with pytest.raises(FarEndUnreachable):
        await down_of(collector, progress, taker).run_once()
    collector.cut_at = None
    # As after a restart: nothing is remembered but what is on the disk.
    await down_of(collector, progress, taker).run_once()
    assert sorted(taker.taken) == [1, 2, 3]
    assert [one.number for one in collector.told] == [1, 2, 3]


def test_acknowledgements_fit_into_a_request_however_long_their_reasons_are() -> None:
    long = [Acknowledgement(2**40 + number, False, "错" * 900) for number in range(100)]
    fitting = that_fit(long)
    acks = [{"change": one.number, "result": "refused", "reason": one.reason} for one in fitting]
    assert fitting == long[: len(fitting)]
    assert 0 < len(json.dumps({"acks": acks}, ensure_ascii=False).encode()) < MOST_OTHER_BYTES
    assert len(that_fit([Acknowledgement(number, True) for number in range(100)])) == 100
