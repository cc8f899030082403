from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from firmware.alerts.desk import AlertDesk, Incident, Step
from firmware.alerts.ledger import Ledger
from firmware.alerts.uplinks import ends_uplink, step_uplink
from firmware.errors import FarEndUnreachable, TryLater
from firmware.ports import Outcome, Telling, Told, What
from tests.sync.records import FixedClock, entry

pytestmark = pytest.mark.fast_time
BEGIN = datetime(2026, 3, 1, 8, tzinfo=UTC)
TEXT = "2026-03-01T08:{:02}:00.000+00:00"


def incident(name: str = "a", *, ended: int | None = None, kind: str = "power") -> dict[str, Any]:
    ended_at = None if ended is None else TEXT.format(ended)
    return {"id": name, "kind": kind, "place": "mains", "summary": "mains is away", "started_at": TEXT.format(0),
            "ended_at": ended_at, "drill": False}  # fmt: skip


@dataclass
class Channel:
    people: Collection[str] = ("anna", "ben")
    name: str = "e-mail"
    down: bool = False
    hangs: asyncio.Event | None = None
    unknown: Collection[str] = ()
    greylisted: set[str] = field(default_factory=set)
    told: list[tuple[Telling, tuple[str, ...]]] = field(default_factory=list)

    async def tell(self, telling: Telling, people: Sequence[str]) -> Told:
        if self.down:
            raise FarEndUnreachable("no network")
        if self.hangs is not None:
            await self.hangs.wait()
        reached = [who for who in people if who not in self.unknown and who not in self.greylisted]
        if reached:
            self.told.append((telling, tuple(reached)))
        refused = {who: "550 unknown" for who in people if who in self.unknown}
        return Told(reached, refused, {who: "450 later" for who in people if who in self.greylisted})

    async def close(self) -> None:
        pass

    def heard(self) -> list[tuple[What, tuple[str, ...]]]:
        return [(telling.what, people) for telling, people in self.told]


@dataclass
class Office:
    """A ladder of 0 and 5 minutes, one channel each, over a ledger on the disk."""

    file: Path
    steps: list[Channel] = field(default_factory=lambda: [Channel(), Channel(people=("boss",))])
    notes: list[tuple[str, str, str]] = field(default_factory=list)
    clock: FixedClock = field(default_factory=FixedClock)

    def __post_init__(self) -> None:
        self.clock.at = BEGIN
        self.restart()

    def restart(self) -> None:
        async def note(about: Incident, who: str, how: str, result: str) -> None:
            self.notes.append((who, how, result))

        ladder = [Step(at, 5.0 * at, [channel]) for at, channel in enumerate(self.steps)]
        self.desk = AlertDesk(ladder, Ledger(self.file), self.clock, note, quiet_kinds=["clock"], most_per_hour=3)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path / "sync" / "alerts.json")


async def test_who_was_told_of_the_fault_is_told_of_its_end_and_nobody_else(office: Office) -> None:
    first, second = office.steps
    await office.desk.is_due(0, incident())
    await office.desk.changed(incident())
    await office.desk.changed(incident(ended=3))
    await office.desk.is_due(1, incident(ended=3))
    assert first.heard() == [(What.BEGAN, ("anna", "ben")), (What.OVER, ("anna", "ben"))]
    assert second.heard() == []
    assert office.notes[0] == ("anna", "e-mail", "told of the fault")
    assert office.notes[-1] == ("ben", "e-mail", "told that it is over")


async def test_each_step_tells_its_own_people_while_the_incident_is_open(office: Office) -> None:
    await office.desk.is_due(0, incident())
    await office.desk.is_due(1, incident())
    await office.desk.changed(incident(ended=9))
    assert [channel.heard() for channel in office.steps] == [
        [(What.BEGAN, ("anna", "ben")), (What.OVER, ("anna", "ben"))],
        [(What.BEGAN, ("boss",)), (What.OVER, ("boss",))],
    ]


async def test_what_began_and_ended_without_a_network_is_told_once_with_both(office: Office) -> None:
    first, second = office.steps
    first.down = second.down = True
    with pytest.raises(FarEndUnreachable):
        await office.desk.is_due(0, incident())
    await office.desk.changed(incident(ended=9))
    first.down = second.down = False
    await office.desk.is_due(0, incident(ended=9))
    await office.desk.is_due(1, incident(ended=9))
    await office.desk.changed(incident(ended=9))
    assert first.heard() == [(What.BOTH, ("anna", "ben"))]
    assert second.heard() == [(What.BOTH, ("boss",))]


async def test_an_end_that_overtakes_the_beginning_is_not_lost(office: Office) -> None:
    await office.desk.changed(incident(ended=9))
    await office.desk.is_due(0, incident())  # as it was read before it ended
    assert office.steps[0].heard() == [(What.BOTH, ("anna", "ben"))]


async def test_a_repeat_after_a_restart_tells_nobody_twice(office: Office) -> None:
    await office.desk.is_due(0, incident())
    office.restart()
    await office.desk.is_due(0, incident())
    await office.desk.changed(incident(ended=9))
    office.restart()
    await office.desk.changed(incident(ended=9))
    assert [what for what, _ in office.steps[0].heard()] == [What.BEGAN, What.OVER]


async def test_a_person_who_is_unknown_to_the_server_keeps_it_from_nobody(office: Office) -> None:
    office.steps[0].unknown = ("ben",)
    await office.desk.is_due(0, incident())
    await office.desk.changed(incident(ended=1))
    assert office.steps[0].heard() == [(What.BEGAN, ("anna",)), (What.OVER, ("anna",))]
    assert ("ben", "e-mail", "not reached: 550 unknown") in office.notes


async def test_a_person_whom_the_server_wants_later_is_told_later_and_the_others_once(office: Office) -> None:
    office.steps[0].greylisted = {"ben"}
    with pytest.raises(TryLater):
        await office.desk.is_due(0, incident())
    office.steps[0].greylisted = set()
    await office.desk.is_due(0, incident())
    assert office.steps[0].heard() == [(What.BEGAN, ("anna",)), (What.BEGAN, ("ben",))]


async def test_quiet_kinds_are_told_to_nobody(office: Office) -> None:
    await office.desk.is_due(0, incident(kind="clock"))
    await office.desk.changed(incident(kind="clock", ended=1))
    assert office.steps[0].heard() == []


async def test_a_fault_that_comes_and_goes_is_gathered_in_one_summary(office: Office) -> None:
    first, _ = office.steps
    for at in range(10):
        await office.desk.is_due(0, incident(f"i{at}"))
        if at < 9:
            await office.desk.changed(incident(f"i{at}", ended=1))
    other = incident("other", kind="modem")
    await office.desk.is_due(0, other)
    assert [what for what, _ in first.heard()] == [What.BEGAN, What.OVER] * 3 + [What.BEGAN]
    await asyncio.sleep(3700)
    summary = first.told[-1][0]
    assert (summary.what, [each["id"] for each in summary.incidents]) == (
        What.SUMMARY,
        [f"i{at}" for at in range(3, 10)],
    )
    assert [bool(each["ended_at"]) for each in summary.incidents] == [True] * 6 + [False]
    await office.desk.changed(incident("i9", ended=5))
    assert first.heard()[-1] == (What.OVER, ("anna", "ben"))
    office.clock.at += timedelta(hours=2)
    await office.desk.is_due(0, incident("later"))
    assert first.heard()[-1][0] is What.BEGAN
    await office.desk.close()


async def test_what_comes_while_a_summary_is_told_is_in_the_next(office: Office) -> None:
    first, _ = office.steps
    for at in range(4):
        await office.desk.is_due(0, incident(f"i{at}"))
    first.hangs = asyncio.Event()
    await asyncio.sleep(3700)
    await office.desk.is_due(0, incident("meanwhile"))
    first.hangs.set()
    await asyncio.sleep(3700)
    told = [[each["id"] for each in telling.incidents] for telling, _ in first.told if telling.what is What.SUMMARY]
    assert told == [["i3"], ["meanwhile"]]
    await office.desk.close()


async def test_a_summary_outlives_a_restart_and_a_network_that_is_away(office: Office) -> None:
    first, _ = office.steps
    for at in range(5):
        await office.desk.is_due(0, incident(f"i{at}"))
    await office.desk.close()
    office.restart()
    first.down = True
    await office.desk.start()
    await asyncio.sleep(4000)
    first.down = False
    await asyncio.sleep(100)
    assert [what for what, _ in first.heard()] == [What.BEGAN] * 3 + [What.SUMMARY]
    await office.desk.close()


async def test_a_server_that_hangs_for_one_incident_does_not_hold_up_another(office: Office) -> None:
    first, second = office.steps
    second.hangs = asyncio.Event()
    slow = asyncio.ensure_future(office.desk.is_due(1, incident("slow")))
    await asyncio.sleep(1)
    await office.desk.is_due(0, incident("quick", kind="modem"))
    assert first.heard() == [(What.BEGAN, ("anna", "ben"))]
    end = asyncio.ensure_future(office.desk.changed(incident("slow", ended=9)))
    await asyncio.sleep(1)
    second.hangs.set()
    await asyncio.gather(slow, end)
    assert second.heard() == [(What.BEGAN, ("boss",)), (What.OVER, ("boss",))]


async def test_behind_the_outbox_one_that_cannot_be_told_keeps_none_from_the_others(office: Office) -> None:
    uplink, ends = step_uplink(0, office.desk), ends_uplink(office.desk)
    office.steps[0].greylisted = {"anna"}
    answers = await uplink.deliver(
        [entry(1, incident("a")), entry(2, incident("b", kind="clock")), entry(3, erased=True)]
    )
    assert [(each.seq, each.outcome) for each in answers] == [(2, Outcome.STORED), (3, Outcome.STORED)]
    with pytest.raises(TryLater):
        await uplink.deliver([entry(1, incident("a"))])
    office.steps[0].greylisted = set()
    await uplink.deliver([entry(1, incident("a"))])
    (ended,) = await ends.deliver([entry(4, incident("a", ended=2))])
    assert ended.outcome is Outcome.STORED
    assert office.steps[0].heard()[-1] == (What.OVER, ("anna", "ben"))
    await uplink.close()
    await ends.close()
