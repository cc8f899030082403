"""The loop that drives a far end, in simulated time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from firmware.errors import FarEndUnreachable, StorageError, TryLater
from firmware.ports import Blob, Route
from firmware.simulation.fast_time import SimulatedClock
from firmware.simulation.outbox import MemoryOutbox
from firmware.sync.sender import FarEnd, Sender, SenderTimes
from tests.sync.far_ends import ScriptedFarEnd

pytestmark = pytest.mark.fast_time
_BLOB = Blob("00" * 32, 10, Path("nowhere"))


class Bench:
    """One sender, its queue and its far end."""

    def __init__(self, **options: Any) -> None:
        self.clock = SimulatedClock(asyncio.get_running_loop(), datetime(2026, 5, 1, tzinfo=UTC))
        self.outbox = MemoryOutbox(self.clock)
        self.far_end = ScriptedFarEnd(options.pop("seconds_per_delivery", 0.0))
        times = options.pop("times", SenderTimes(spread_seconds=0))
        chance: Callable[[], float] = options.pop("chance", lambda: 1.0)
        backlog_seconds = options.pop("backlog_seconds", None)
        self.connects: list[float] = []
        self.sender = Sender(
            "main",
            self.outbox,
            FarEnd(self.far_end, connect=self._connect, **options),
            chance,
            times=times,
            changed=lambda: self.outbox.changes,
            backlog_seconds=backlog_seconds,
        )

    async def _connect(self) -> None:
        self.connects.append(self.now)

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def ids(self) -> list[str]:
        return [entry.record_id for entry in self.far_end.got]

    async def left(self) -> int:
        return (await self.outbox.state("main")).queued


@asynccontextmanager
async def bench(**options: Any) -> AsyncIterator[Bench]:
    made = Bench(**options)
    await made.outbox.use_routes([Route("main", frozenset({"call", "message"}))])
    task = asyncio.create_task(made.sender.run())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()


async def test_what_is_written_leaves_within_seconds_and_in_order() -> None:
    async with bench() as made:
        await asyncio.sleep(100)
        written_at = made.now
        for number in range(450):
            made.outbox.write(f"r{number}", "call", {"n": number})
        await asyncio.sleep(2)
        assert made.ids() == [f"r{number}" for number in range(450)]
        assert made.far_end.times[0] - written_at <= 1
        assert await made.left() == 0


async def test_nothing_is_asked_for_while_nothing_is_written() -> None:
    async with bench() as made:
        await asyncio.sleep(3600)
        assert made.far_end.times == []
        assert made.connects == [0]


async def test_failures_back_off_connect_anew_and_lose_nothing() -> None:
    async with bench() as made:
        made.far_end.faults = [FarEndUnreachable("no network")] * 4
        made.outbox.write("a", "call", {})
        await asyncio.sleep(1)
        assert (await made.outbox.state("main")).last_error == "no network"
        assert made.sender.failing_since_seconds is not None
        await asyncio.sleep(100)
        assert made.ids() == ["a"]
        gaps = [
            round(later - earlier) for earlier, later in zip(made.far_end.times, made.far_end.times[1:], strict=False)
        ]
        assert gaps == [2, 4, 8, 16]
        assert len(made.connects) == 5
        assert made.sender.failure is None


async def test_retry_after_is_obeyed_unless_a_person_is_in_a_hurry() -> None:
    async with bench(chance=lambda: 0.0) as made:
        made.far_end.faults = [TryLater("busy", 300.0), TryLater("busy", 300.0)]
        made.outbox.write("a", "call", {})
        await asyncio.sleep(299)
        made.sender.wake()
        await asyncio.sleep(2)
        assert len(made.far_end.times) == 2
        made.sender.wake(now=True)
        await asyncio.sleep(1)
        assert made.ids() == ["a"]


async def test_one_that_is_refused_again_and_again_is_set_aside_and_blocks_nobody() -> None:
    async with bench() as made:
        made.far_end.rejects = {"bad"}
        made.outbox.write("bad", "call", {})
        await asyncio.sleep(5)
        made.outbox.write("good", "call", {})
        await asyncio.sleep(200)
        state = await made.outbox.state("main")
        assert (made.ids(), state.queued, state.quarantined) == (["good"], 0, 1)


async def test_far_end_that_refuses_everything_has_a_while_to_be_mended_before_anything_is_set_aside() -> None:
    async with bench() as made:
        made.far_end.rejects = {"a", "b"}
        made.outbox.write("a", "call", {})
        made.outbox.write("b", "call", {})
        await asyncio.sleep(25)
        made.far_end.rejects = set()
        await asyncio.sleep(10)
        assert made.ids() == ["a", "b"]


async def test_change_while_it_is_sent_is_sent_again() -> None:
    async with bench(seconds_per_delivery=5.0) as made:
        made.outbox.write("a", "call", {"n": 1})
        await asyncio.sleep(2)
        made.outbox.write("a", "call", {"n": 2})
        await asyncio.sleep(20)
        assert [(entry.body, entry.seq) for entry in made.far_end.got] == [({"n": 1}, 1), ({"n": 2}, 1)]
        assert await made.left() == 0


async def test_on_battery_rounds_are_far_apart_and_audio_waits() -> None:
    async with bench() as made:
        made.sender.set_pace(900)
        made.sender.wake()
        made.outbox.write("talk", "message", {}, _BLOB)
        made.outbox.write("a", "call", {})
        await asyncio.sleep(5)
        made.outbox.write("b", "call", {})
        await asyncio.sleep(600)
        assert made.ids() == ["a"]
        await asyncio.sleep(400)
        assert made.ids() == ["a", "b"]
        made.sender.set_pace(None)
        await asyncio.sleep(2)
        assert made.ids() == ["a", "b", "talk"]


async def test_spread_is_waited_for_after_a_long_outage_only() -> None:
    async with bench(times=SenderTimes(spread_seconds=600)) as made:
        made.far_end.faults = [FarEndUnreachable("gone")]
        made.outbox.write("short", "call", {})
        await asyncio.sleep(10)
        assert made.ids() == ["short"]
        made.far_end.faults = [FarEndUnreachable("gone")] * 12
        made.outbox.write("long", "call", {})
        while made.far_end.faults:
            await asyncio.sleep(1)
        back_at = made.connects[-1]
        while "long" not in made.ids():
            await asyncio.sleep(1)
        assert made.now - made.connects[-1] > 400
        assert made.connects[-1] >= back_at


async def test_start_with_an_old_queue_is_the_end_of_a_regions_power_cut_and_spread_as_well() -> None:
    async def a_day() -> float:
        return 86_400.0

    async with bench(times=SenderTimes(spread_seconds=600), backlog_seconds=a_day) as made:
        made.outbox.write("a", "call", {})
        await asyncio.sleep(590)
        assert made.ids() == []
        assert "a whole region" in made.sender.doing()
        await asyncio.sleep(20)
        assert made.ids() == ["a"]


async def test_nobody_who_is_in_a_hurry_waits_for_the_spread() -> None:
    async def a_day() -> float:
        return 86_400.0

    async with bench(times=SenderTimes(spread_seconds=600), backlog_seconds=a_day) as made:
        made.outbox.write("a", "call", {})
        await asyncio.sleep(5)
        made.sender.wake(now=True)
        await asyncio.sleep(1)
        assert made.ids() == ["a"]


async def test_storage_that_fails_is_tried_again() -> None:
    async with bench() as made:
        made.outbox.trouble = StorageError("the disk hangs")
        made.outbox.write("a", "call", {})
        await asyncio.sleep(1.5)
        assert isinstance(made.sender.failure, StorageError)
        await asyncio.sleep(10)
        assert made.ids() == ["a"]
        assert made.sender.failure is None


async def test_far_end_that_answers_for_nothing_is_not_asked_without_a_pause() -> None:
    class Silent(ScriptedFarEnd):
        async def deliver(self, entries: Any) -> Any:
            await super().deliver([])
            return []

    async with bench() as made:
        silent = Silent()
        made.sender._far_end = FarEnd(silent)
        made.outbox.write("a", "call", {})
        await asyncio.sleep(60)
        assert 2 < len(silent.times) < 20
        assert await made.left() == 1


async def test_erasures_of_the_far_end_come_before_our_records_after_an_outage() -> None:
    told: list[str] = []
    made_bench: list[Bench] = []

    async def before_records() -> None:
        told.append(f"down after {len(made_bench[0].ids())} records")

    async with bench(before_records=before_records) as made:
        made_bench.append(made)
        made.far_end.faults = [FarEndUnreachable("gone")]
        made.outbox.write("a", "call", {})
        await asyncio.sleep(10)
        assert told == ["down after 0 records", "down after 0 records"]
        assert made.ids() == ["a"]


@pytest.mark.parametrize("at_seconds", [0.0, 0.5, 1.0, 1.5, 3.0, 4.5, 7.0])
async def test_sender_ends_at_once_wherever_it_is(at_seconds: float) -> None:
    async with bench(seconds_per_delivery=2.0) as made:
        made.far_end.faults = [FarEndUnreachable("gone")]
        made.outbox.write("a", "call", {})
        await asyncio.sleep(at_seconds)
