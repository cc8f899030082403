"""What `power` asks of `calls`, and what it is told, with a store and lines that can fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from firmware.errors import ServiceError, StorageError
from firmware.events import LineState
from firmware.services.control import ControlServer
from firmware.services.control_client import ControlClient
from firmware.services.event_hub import CallHub
from firmware.services.line_status import LineStatus
from firmware.services.power_saving import PowerSaving


@dataclass
class FakeLine:
    """Rests or works as it is told, at once unless a call is on it."""

    status: LineStatus
    released: int = 0

    def rest(self, *, resting: bool) -> None:
        if self.status.state not in (LineState.IN_CALL, LineState.RINGING, LineState.FAULT):
            self.status.change(LineState.RESTING if resting else LineState.IDLE)

    def release(self) -> None:
        self.released += 1


@dataclass
class FakeSpeech:
    log: list[str] = field(default_factory=list)

    async def pause(self) -> None:
        await asyncio.sleep(1.0)  # a worker takes its time to end
        self.log.append("pause")

    def resume(self) -> None:
        self.log.append("resume")


@dataclass
class FakeStore:
    trouble: str | None = None
    waiting: int | StorageError = 3
    slow_seconds: float = 0.0
    order: list[StorageError] = field(default_factory=list)
    reads: int = 0
    ordered: int = 0

    async def count_waiting(self) -> int:
        self.reads += 1
        await asyncio.sleep(self.slow_seconds)
        if isinstance(self.waiting, StorageError):
            raise self.waiting
        return self.waiting

    async def put_in_order(self) -> None:
        if self.order:
            raise self.order.pop()
        self.ordered += 1


@dataclass
class Desk:
    lines: dict[str, FakeLine]
    speech: FakeSpeech
    store: FakeStore
    saving: PowerSaving

    async def ask(self, action: str, **details: Any) -> Any:
        return await self.saving.actions()[action](details)

    def states(self) -> list[str]:
        return [line.status.state.value for line in self.lines.values()]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    hub = CallHub()
    lines = {
        name: FakeLine(LineStatus(name, lambda: datetime(2026, 1, 1, tzinfo=UTC), hub)) for name in ("front", "back")
    }
    speech, store = FakeSpeech(), FakeStore()
    async with PowerSaving(lines, speech, store, hub) as saving:
        for line in lines.values():
            line.status.change(LineState.IDLE)
        yield Desk(lines, speech, store, saving)


@pytest.mark.fast_time
class TestAsked:
    async def test_the_last_word_about_speech_counts(self, desk: Desk) -> None:
        answers = await asyncio.gather(desk.ask("speech", on=False), desk.ask("speech", on=True))
        assert answers[-1] == {"on": True}
        assert desk.speech.log[-1] == "resume"

    async def test_speech_that_was_off_before_stays_off_after_a_low_battery(self, desk: Desk) -> None:
        await desk.ask("speech", on=False)
        await desk.ask("low_battery", on=True)
        await desk.ask("low_battery", on=False)
        assert desk.speech.log[-1] == "pause"
        assert (await desk.saving.status())["speech"] is False

    async def test_a_line_that_was_told_to_rest_rests_on_after_a_low_battery(self, desk: Desk) -> None:
        assert await desk.ask("rest", line="back", resting=True) == {"line": "back", "state": "resting"}
        await desk.ask("low_battery", on=True)
        await desk.ask("low_battery", on=False)
        assert desk.states() == ["idle", "resting"]

    async def test_low_battery_told_again_releases_nobody_twice(self, desk: Desk) -> None:
        desk.lines["front"].status.change(LineState.IN_CALL)
        for _ in range(3):
            await desk.ask("low_battery", on=True)
        assert desk.lines["front"].released == 1

    async def test_another_line_answers_where_the_first_one_cannot(self, desk: Desk) -> None:
        desk.lines["front"].status.change(LineState.FAULT, "its modem is gone")
        await desk.ask("low_battery", on=True)
        assert desk.states() == ["fault", "idle"]

    @pytest.mark.parametrize("details", [{}, {"line": "side"}, {"line": 3}, {"line": ["front"]}, {"line": None}])
    async def test_a_line_that_is_not_there_is_told_with_those_that_are(
        self, desk: Desk, details: dict[str, Any]
    ) -> None:
        with pytest.raises(ServiceError, match="there are: front, back"):
            await desk.ask("rest", resting=True, **details)

    @pytest.mark.parametrize("action", ["speech", "rest", "low_battery"])
    @pytest.mark.parametrize("value", [None, 1, "true", []])
    async def test_a_switch_that_is_neither_true_nor_false_is_refused(
        self, desk: Desk, action: str, value: object
    ) -> None:
        with pytest.raises(ServiceError, match="must be true or false"):
            await desk.ask(action, line="front", on=value, resting=value)
        assert desk.states() == ["idle", "idle"]


@pytest.mark.fast_time
class TestQuiet:
    async def test_it_is_quiet_only_when_no_call_is_on(self, desk: Desk) -> None:
        front = desk.lines["front"].status
        front.change(LineState.IN_CALL)
        await desk.ask("low_battery", on=True)
        await asyncio.sleep(5.0)
        assert not desk.saving.quiet
        front.change(LineState.IDLE)
        await asyncio.sleep(1.0)
        assert desk.saving.quiet
        front.change(LineState.RINGING)
        await asyncio.sleep(1.0)
        assert not desk.saving.quiet
        front.change(LineState.IDLE)
        await asyncio.sleep(1.0)
        assert desk.saving.quiet
        assert desk.store.ordered == 2

    async def test_a_database_that_fails_is_put_in_order_as_soon_as_it_can(self, desk: Desk) -> None:
        desk.store.order = [StorageError("the disk is gone")] * 3
        await desk.ask("low_battery", on=True)
        await asyncio.sleep(3.0)
        assert not desk.saving.quiet
        await asyncio.sleep(10.0)
        assert desk.saving.quiet

    async def test_mains_that_returns_ends_the_quiet(self, desk: Desk) -> None:
        await desk.ask("low_battery", on=True)
        await asyncio.sleep(1.0)
        assert desk.saving.quiet
        await desk.ask("low_battery", on=False)
        assert not desk.saving.quiet
        await asyncio.sleep(10.0)
        assert not desk.saving.quiet


@pytest.mark.fast_time
class TestStatus:
    async def test_it_counts_lines_and_messages(self, desk: Desk) -> None:
        desk.lines["front"].status.change(LineState.IN_CALL)
        desk.lines["back"].status.change(LineState.FAULT, "its modem is gone")
        assert await desk.saving.status() == {
            "lines": 2, "in_call": 1, "faults": 1, "resting": 0, "waiting_messages": 3, "speech": True,
            "low_battery": False, "quiet": False, "store": "good",
        }  # fmt: skip

    async def test_who_asks_all_the_time_is_told_from_memory(self, desk: Desk) -> None:
        for _ in range(100):
            await desk.saving.status()
        assert desk.store.reads == 1
        desk.store.waiting = 4
        await asyncio.sleep(3.0)
        assert (await desk.saving.status())["waiting_messages"] == 4

    async def test_a_failing_store_is_told_and_forgotten_once_it_works(self, desk: Desk) -> None:
        desk.store.waiting = StorageError("the disk is gone")
        assert (await desk.saving.status())["store"] == "the disk is gone"
        desk.store.waiting = 0
        await asyncio.sleep(3.0)
        assert (await desk.saving.status())["store"] == "good"
        desk.store.trouble = "the database is locked"
        assert (await desk.saving.status())["store"] == "the database is locked"

    async def test_a_store_that_hangs_keeps_nobody_from_the_rest(self, desk: Desk) -> None:
        await desk.saving.status()
        desk.store.slow_seconds = 60.0
        await asyncio.sleep(3.0)
        loop = asyncio.get_running_loop()
        began = loop.time()
        told = await desk.saving.status()
        assert loop.time() - began < 2.0
        assert (told["waiting_messages"], told["lines"]) == (3, 2)
        assert "gives no answer" in told["store"]


async def test_status_and_actions_are_there_at_the_control_socket(tmp_path: Path, desk: Desk) -> None:
    path = tmp_path / "calls.sock"
    server = ControlServer(path, {"status": desk.saving.status}, CallHub(), actions=desk.saving.actions())
    await server.start()
    client = ControlClient(path)
    assert await client.ask("rest", line="back", resting=True) == {"line": "back", "state": "resting"}
    assert (await asyncio.to_thread(client.get, "status"))["resting"] == 1
    with pytest.raises(ServiceError, match="no line is called 'side'"):
        await client.ask("rest", line="side", resting=True)
    await server.stop()
