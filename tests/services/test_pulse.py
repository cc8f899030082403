"""The watchdog is fed while every part answers, and not a moment longer than its patience."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
import structlog

from firmware.errors import StorageError
from firmware.services.pulse import Pulse
from firmware.services.service import Probe

pytestmark = pytest.mark.fast_time


@dataclass
class Manager:
    """In place of `Notifier`."""

    feed_every_seconds: float | None = 1.5
    fed_at: list[float] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def feed(self) -> None:
        self.fed_at.append(asyncio.get_running_loop().time())

    def status(self, sentence: str) -> None:
        self.told.append(sentence)


async def never() -> None:
    await asyncio.get_running_loop().create_future()


async def at_once() -> None:
    pass


async def beat_for(seconds: float, *probes: Probe, manager: Manager | None = None) -> Manager:
    manager = manager or Manager()
    pulse = asyncio.create_task(Pulse(probes, manager, lambda: "well").beat())  # type: ignore[arg-type]
    await asyncio.sleep(seconds)
    assert not pulse.done()
    pulse.cancel()
    await asyncio.gather(pulse, return_exceptions=True)
    return manager


async def test_is_fed_regularly_while_all_answer() -> None:
    manager = await beat_for(30.1, Probe("a", at_once, 5.0), Probe("b", at_once, 60.0))
    assert manager.fed_at == [pytest.approx(1.5 * count) for count in range(21)]


async def test_part_that_hangs_stops_the_feeding_after_its_patience() -> None:
    manager = await beat_for(100, Probe("a", at_once, 5.0), Probe("b", never, 30.0))
    assert manager.fed_at[-1] == pytest.approx(30.0)


async def test_part_that_answers_late_but_in_time_is_no_hang() -> None:
    async def slowly() -> None:
        await asyncio.sleep(20)

    manager = await beat_for(300, Probe("disk", slowly, 30.0))
    assert len(manager.fed_at) == 200


async def test_part_that_says_it_is_unwell_is_alive() -> None:
    async def sick() -> None:
        raise StorageError("the disk is full")

    manager = await beat_for(300, Probe("disk", sick, 30.0))
    assert len(manager.fed_at) == 200


async def test_silence_with_an_excuse_is_no_hang() -> None:
    manager = await beat_for(300, Probe("disk", never, 30.0, excused=lambda: True))
    assert len(manager.fed_at) == 200


async def test_feeding_begins_again_where_the_part_comes_back() -> None:
    gate = asyncio.Event()
    beating = asyncio.create_task(beat_for(100, Probe("a", gate.wait, 10.0)))  # type: ignore[arg-type]
    await asyncio.sleep(50)
    gate.set()
    manager = await beating
    assert all(not 11.5 < at < 50 for at in manager.fed_at)
    assert manager.fed_at[-1] > 95


async def test_without_a_watchdog_nothing_is_asked_and_the_status_is_told_once() -> None:
    asked = []

    async def note() -> None:
        asked.append(1)

    manager = await beat_for(60, Probe("a", note, 10.0), manager=Manager(feed_every_seconds=None))
    assert (manager.fed_at, asked, manager.told) == ([], [], ["well"])


async def test_without_a_watchdog_nobody_is_asked_and_nothing_is_told_of_silence() -> None:
    with structlog.testing.capture_logs() as told:
        manager = await beat_for(300, Probe("disk", never, 30.0), manager=Manager(feed_every_seconds=None))
    assert told == []
    assert manager.fed_at == []
    assert manager.told == ["well"]
