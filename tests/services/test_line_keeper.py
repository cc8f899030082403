"""A line's keeper: what becomes of faults, of calls in the middle of faults, and of a database that fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from firmware.errors import CommandTimeout, PortLost, PortMissing, StorageError
from firmware.events import CallEnd, CallEnded, CallerId, LineChanged, LineState
from firmware.ivr.session import SessionResult
from firmware.ports import ModemIdentity
from firmware.services.line_keeper import KeeperLimits, LineKeeper
from firmware.services.line_status import LineStatus
from firmware.services.scribe import Scribe
from firmware.services.supervisor import keep_alive
from firmware.simulation.fast_time import run_fast

Script = list[Any]


@dataclass
class ScriptedTelephone:
    """A `TelephoneLine` whose every answer is scripted: an exception is raised, anything else returned."""

    opens: Script = field(default_factory=list)
    rings: Script = field(default_factory=list)
    resets: Script = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    identity: ModemIdentity = field(default_factory=lambda: ModemIdentity("M", "X", "1", "generic"))
    last_proved_alive: float | None = None

    async def open(self) -> None:
        self.log.append("open")
        await self._play(self.opens)

    async def wait_for_ring(self) -> None:
        if not self.rings:
            await asyncio.get_running_loop().create_future()
        await self._play(self.rings)

    async def read_caller(self, rings: int) -> CallerId | None:
        return CallerId("13800138000")

    @asynccontextmanager
    async def answer(self) -> AsyncIterator[Any]:
        self.log.append("off hook")
        try:
            yield self
        finally:
            self.log.append("on hook")

    async def reset(self) -> None:
        self.log.append("reset")
        await self._play(self.resets)

    async def close(self) -> None:
        self.log.append("close")

    async def _play(self, script: Script) -> None:
        await asyncio.sleep(0)
        step = script.pop(0) if script else None
        if isinstance(step, BaseException):
            raise step


@dataclass
class MemoryBooks:
    """The part of a store that a keeper writes to; `broken` makes every write fail, and a hanging one never returns."""

    broken: bool = False
    slow_seconds: float = 0.0
    incidents_hang: bool = False
    calls: list[Any] = field(default_factory=list)
    incidents: list[str] = field(default_factory=list)
    writer: asyncio.Lock = field(default_factory=asyncio.Lock)

    def new_call_id(self) -> str:
        return "c1"

    async def call_offered(self, line: str, caller: CallerId, call_id: str | None = None) -> str:
        async with self.writer:
            await asyncio.sleep(self.slow_seconds)
            self._write()
            self.calls.append("offered")
        return "c1"

    async def call_answered(self, call_id: str, caller: CallerId) -> None:
        async with self.writer:
            self._write()
            self.calls.append(caller.number)

    async def call_ended(self, call_id: str, end: CallEnd, *_: Any) -> None:
        async with self.writer:
            self._write()
            self.calls.append(end)

    async def open_incident(self, kind: str, place: str, summary: str) -> None:
        await self._write_incident()
        self.incidents.append(f"begin {kind} {place}: {summary}")

    async def note_incident(self, kind: str, place: str, action: str) -> None:
        await self._write_incident()
        self.incidents.append(action)

    async def close_incident(self, kind: str, place: str) -> None:
        await self._write_incident()
        self.incidents.append("end")

    async def _write_incident(self) -> None:
        if self.incidents_hang:
            await asyncio.get_running_loop().create_future()
        self._write()

    def _write(self) -> None:
        if self.broken:
            raise StorageError("the disk is gone")


@dataclass
class Kept:
    """A keeper with everything around it."""

    line: ScriptedTelephone
    books: MemoryBooks
    events: list[Any]
    status: LineStatus
    keeper: LineKeeper
    scribe: Scribe

    def states(self) -> list[LineState]:
        return [event.state for event in self.events if isinstance(event, LineChanged)]

    def ends(self) -> list[CallEnd]:
        return [event.end for event in self.events if isinstance(event, CallEnded)]


@dataclass
class Talk:
    """A conversation: whatever `act` does."""

    act: Callable[[], Any]
    language: str = "en"
    path: tuple[str, ...] = ("greeting",)

    async def run(self) -> SessionResult:
        await self.act()
        return SessionResult(CallEnd.COMPLETED, None, "en", ("greeting", "goodbye"))


async def _say_goodbye() -> None:
    await asyncio.sleep(1.0)


def _keeper(line: ScriptedTelephone, books: MemoryBooks, act: Callable[[], Any] = _say_goodbye) -> Kept:
    events: list[Any] = []
    status = LineStatus("front", lambda: datetime(2026, 1, 1, tzinfo=UTC), events.append)
    limits = KeeperLimits(rings=2, longest_call_seconds=60)
    scribe = Scribe()
    receive = lambda *_: Talk(act)  # noqa: E731
    keeper = LineKeeper(line, status, books, receive, events.append, limits, scribe)  # type: ignore[arg-type]
    return Kept(line, books, events, status, keeper, scribe)


def _run_for(kept: Kept, seconds: float) -> None:
    _run_with(kept, seconds)


def test_call_is_recorded_from_ring_to_on_hook() -> None:
    kept = _keeper(ScriptedTelephone(rings=[None]), MemoryBooks())
    _run_for(kept, 5)
    assert kept.books.calls == ["offered", "13800138000", CallEnd.COMPLETED]
    assert kept.states() == [
        LineState.IDLE, LineState.RINGING, LineState.IN_CALL, LineState.IDLE, LineState.STOPPED,
    ]  # fmt: skip


def test_missing_modem_is_reported_once_and_found_when_it_comes() -> None:
    missing = [PortMissing("no modem at /dev/x; plug it in") for _ in range(3)]
    kept = _keeper(ScriptedTelephone(opens=[*missing]), MemoryBooks())
    _run_for(kept, 30)
    assert kept.books.incidents == [
        "begin modem front: line front: no modem at /dev/x; plug it in",
        "the port was closed, and the modem is being looked for",
        "the port was opened again and the modem was set up",
        "end",
    ]
    assert kept.states()[-2:] == [LineState.IDLE, LineState.STOPPED]
    assert kept.line.log.count("open") == 4


def test_port_is_given_back_before_it_is_opened_again() -> None:
    kept = _keeper(ScriptedTelephone(rings=[PortLost("unplugged")]), MemoryBooks())
    _run_for(kept, 30)
    assert kept.line.log[:3] == ["open", "close", "open"]


def test_silent_modem_is_reset_before_anything_else() -> None:
    kept = _keeper(ScriptedTelephone(rings=[CommandTimeout("AT", 2)]), MemoryBooks())
    _run_for(kept, 30)
    assert kept.line.log[:2] == ["open", "reset"]
    assert "the modem was reset" in kept.books.incidents
    assert kept.books.incidents[-1] == "end"


def test_failed_reset_reopens_the_port() -> None:
    line = ScriptedTelephone(rings=[CommandTimeout("AT", 2)], resets=[CommandTimeout("AT", 2)])
    kept = _keeper(line, MemoryBooks())
    _run_for(kept, 30)
    assert line.log[:4] == ["open", "reset", "close", "open"]


def test_line_fault_in_a_call_closes_its_record() -> None:
    async def lose_line() -> None:
        raise PortLost("unplugged")

    kept = _keeper(ScriptedTelephone(rings=[None]), MemoryBooks(), lose_line)
    _run_for(kept, 30)
    assert kept.ends() == [CallEnd.LINE_FAULT]
    assert kept.line.log[:4] == ["open", "off hook", "on hook", "close"]


def test_bug_in_a_call_restarts_the_line_and_leaves_it_on_hook() -> None:
    async def crash() -> None:
        raise ZeroDivisionError

    kept = _keeper(ScriptedTelephone(rings=[None]), MemoryBooks(), crash)
    _run_for(kept, 30)
    assert kept.ends() == [CallEnd.INTERNAL_FAULT]
    assert kept.line.log[:4] == ["open", "off hook", "on hook", "close"]
    assert any("internal error (ZeroDivisionError)" in text for text in kept.books.incidents)
    assert kept.states()[-2:] == [LineState.IDLE, LineState.STOPPED]


def test_call_that_never_ends_is_broken_off() -> None:
    async def hang() -> None:
        await asyncio.get_running_loop().create_future()

    kept = _keeper(ScriptedTelephone(rings=[None]), MemoryBooks(), hang)
    _run_for(kept, 120)
    assert kept.ends() == [CallEnd.LINE_FAULT]
    assert kept.line.log[:4] == ["open", "off hook", "on hook", "reset"]


def test_shutdown_in_a_call_ends_on_hook_with_its_record_closed() -> None:
    async def talk() -> None:
        await asyncio.sleep(50)

    kept = _keeper(ScriptedTelephone(rings=[None]), MemoryBooks(), talk)
    _run_for(kept, 5)
    assert kept.books.calls[-1] is CallEnd.SHUTDOWN
    assert kept.line.log == ["open", "off hook", "on hook", "close"]


def test_calls_are_answered_although_the_database_fails() -> None:
    kept = _keeper(ScriptedTelephone(rings=[None, None]), MemoryBooks(broken=True))
    _run_for(kept, 5)
    assert kept.ends() == [CallEnd.COMPLETED, CallEnd.COMPLETED]


def test_what_a_call_came_to_is_kept_when_the_line_fails_under_it() -> None:
    async def lose_line() -> None:
        raise PortLost("unplugged")

    kept = _keeper(ScriptedTelephone(rings=[None]), MemoryBooks(), lose_line)
    _run_for(kept, 30)
    assert [event.path for event in kept.events if isinstance(event, CallEnded)] == [("greeting",)]


def test_no_commit_delays_the_first_word() -> None:
    spoken_at = []

    async def speak() -> None:
        spoken_at.append(asyncio.get_running_loop().time())

    kept = _keeper(ScriptedTelephone(rings=[None]), MemoryBooks(slow_seconds=7.0), speak)
    _run_for(kept, 30)
    assert spoken_at == [pytest.approx(0.0, abs=0.01)]
    assert kept.books.calls == ["offered", "13800138000", CallEnd.COMPLETED]


def test_ringing_is_told_before_the_line_is_off_hook() -> None:
    kept = _keeper(ScriptedTelephone(rings=[None]), MemoryBooks())
    _run_for(kept, 5)
    told = [type(event).__name__ for event in kept.events if not isinstance(event, LineChanged)]
    assert told == ["CallRinging", "CallAnswered", "CallEnded"]


def _rest_at(kept: Kept, seconds: float, *, resting: bool) -> Callable[[], None]:
    def plan() -> None:
        asyncio.get_running_loop().call_later(seconds, lambda: kept.keeper.rest(resting=resting))

    return plan


def _run_with(kept: Kept, seconds: float, *before: Callable[[], None]) -> None:
    async def scene() -> None:
        for act in before:
            act()
        writing = asyncio.create_task(kept.scribe.run())
        task = asyncio.create_task(keep_alive("front", kept.keeper.run, kept.keeper.crashed))
        await asyncio.sleep(seconds)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await kept.scribe.settled(1.0) is not kept.books.incidents_hang
        writing.cancel()

    run_fast(scene())


def test_an_idle_line_rests_at_once_and_comes_back() -> None:
    kept = _keeper(ScriptedTelephone(), MemoryBooks())
    _run_with(kept, 60, _rest_at(kept, 10, resting=True), _rest_at(kept, 40, resting=False))
    assert kept.states() == [
        LineState.IDLE, LineState.RESTING, LineState.OPENING, LineState.IDLE, LineState.STOPPED,
    ]  # fmt: skip
    assert kept.line.log == ["open", "close", "open", "close"]
    assert kept.books.incidents == ["end", "end"]


def test_a_line_that_should_rest_from_the_beginning_never_opens_its_port() -> None:
    kept = _keeper(ScriptedTelephone(), MemoryBooks())
    _run_with(kept, 60, lambda: kept.keeper.rest(resting=True))
    assert "open" not in kept.line.log
    assert kept.keeper.tried.is_set()


def test_a_line_whose_modem_is_looked_for_rests_too_and_stops_looking() -> None:
    kept = _keeper(ScriptedTelephone(opens=[PortMissing("gone") for _ in range(9)]), MemoryBooks())
    _run_with(kept, 600, _rest_at(kept, 5, resting=True))
    assert kept.line.log.count("open") < 5
    assert kept.states()[-2:] == [LineState.RESTING, LineState.STOPPED]
    assert kept.status.fault is None


def test_a_modem_that_starts_again_after_a_rest_is_given_its_time() -> None:
    line = ScriptedTelephone(opens=[None, *(PortMissing("gone") for _ in range(5))])
    kept = _keeper(line, MemoryBooks())
    _run_with(kept, 60, _rest_at(kept, 10, resting=True), _rest_at(kept, 20, resting=False))
    assert kept.books.incidents == ["end", "end"]
    assert LineState.FAULT not in kept.states()
    assert kept.states()[-2] is LineState.IDLE


def test_a_line_resting_in_a_call_ends_the_call_first() -> None:
    kept = _keeper(ScriptedTelephone(rings=[None]), MemoryBooks())
    _run_with(kept, 60, _rest_at(kept, 0.5, resting=True))
    assert kept.ends() == [CallEnd.COMPLETED]
    assert kept.line.log[:3] == ["open", "off hook", "on hook"]
    assert kept.states()[-2:] == [LineState.RESTING, LineState.STOPPED]


def test_a_resting_line_stops_in_good_order() -> None:
    kept = _keeper(ScriptedTelephone(), MemoryBooks())
    _run_with(kept, 5, _rest_at(kept, 1, resting=True))
    assert kept.states()[-1] is LineState.STOPPED


def test_a_line_goes_on_answering_although_no_incident_can_be_written() -> None:
    line = ScriptedTelephone(
        opens=[PortMissing("gone"), None],
        rings=[None, CommandTimeout("AT", 2), None, PortLost("unplugged"), None],
    )
    kept = _keeper(line, MemoryBooks(incidents_hang=True))
    _run_for(kept, 60)
    assert kept.ends() == [CallEnd.COMPLETED] * 3
    assert kept.states()[-2] is LineState.IDLE


@pytest.mark.parametrize("seconds", [0.0, 3.0])
def test_a_line_that_is_ended_at_the_instant_at_which_its_call_ends_loses_nothing_of_it(seconds: float) -> None:
    books = MemoryBooks(slow_seconds=seconds)
    running: list[asyncio.Task[None]] = []

    async def talk_and_be_ended() -> None:
        running[0].cancel()

    kept = _keeper(ScriptedTelephone(rings=[None]), books, talk_and_be_ended)

    async def scene() -> None:
        running.append(asyncio.create_task(kept.keeper.run()))
        with pytest.raises(asyncio.CancelledError):
            await running[0]

    run_fast(scene())
    assert books.calls == ["offered", "13800138000", CallEnd.COMPLETED]
    assert kept.ends() == [CallEnd.COMPLETED]
    assert kept.line.log[-2:] == ["on hook", "close"]
