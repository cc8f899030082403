"""A line that hangs, wherever that is, is started again alone; the others and the watchdog never notice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from firmware.events import CallEnd, CallEnded, CallerId, LineState
from firmware.ivr.session import SessionResult
from firmware.ports import ModemIdentity
from firmware.services.line_guard import LineGuard
from firmware.services.line_keeper import KeeperLimits, LineKeeper
from firmware.services.line_status import LineStatus
from firmware.services.scribe import Scribe
from firmware.services.supervisor import keep_alive
from firmware.services.watched_line import Stage, WatchedLine

pytestmark = pytest.mark.fast_time

_LONGEST_CALL_SECONDS = 300.0


@dataclass
class HangingTelephone:
    """A line that hangs once at `hangs_at`; apart from that it rings every 20 s. `stubborn` also hangs in `close`."""

    hangs_at: Stage | None
    stubborn: bool = False
    ignores_its_limit: bool = False
    opened_at: list[float] = field(default_factory=list)
    calls: int = 0
    identity: ModemIdentity = field(default_factory=lambda: ModemIdentity("M", "X", "1", "generic"))
    last_proved_alive: float | None = None

    async def open(self) -> None:
        self.opened_at.append(asyncio.get_running_loop().time())
        await self._reach(Stage.OPENING)

    async def wait_for_ring(self) -> None:
        await self._reach(Stage.IDLE)
        for _ in range(2):
            await asyncio.sleep(10)
            self.last_proved_alive = asyncio.get_running_loop().time()

    async def read_caller(self, rings: int) -> CallerId | None:
        await self._reach(Stage.RINGING)
        return CallerId("13800138000")

    @asynccontextmanager
    async def answer(self) -> AsyncIterator[Any]:
        await self._reach(Stage.ANSWERING)
        yield self
        await self._reach(Stage.HANGING_UP)
        self.calls += 1

    async def talk(self) -> None:
        await self._reach(Stage.IN_CALL)
        await asyncio.sleep(30)

    async def reset(self) -> None:
        await self._reach(Stage.RESETTING)

    async def close(self) -> None:
        if self.stubborn:
            self.stubborn = False
            await asyncio.get_running_loop().create_future()
        await self._reach(Stage.CLOSING)

    async def _reach(self, stage: Stage) -> None:
        if stage is self.hangs_at:
            self.hangs_at = None
            await asyncio.get_running_loop().create_future()


@dataclass
class Books:
    """What a keeper writes; a store that never fails."""

    incidents: list[str] = field(default_factory=list)
    hangs: bool = False
    """The end of one call is never written."""

    def new_call_id(self) -> str:
        return "c1"

    async def call_offered(self, *_: Any) -> str:
        return "c1"

    async def call_answered(self, *_: Any) -> None:
        pass

    async def call_ended(self, *_: Any) -> None:
        if self.hangs:
            self.hangs = False
            await asyncio.get_running_loop().create_future()

    async def open_incident(self, kind: str, place: str, summary: str) -> None:
        self.incidents.append(summary)

    async def note_incident(self, kind: str, place: str, action: str) -> None:
        self.incidents.append(action)

    async def close_incident(self, kind: str, place: str) -> None:
        self.incidents.append("end")


class Talk:
    """A conversation of half a minute, in which the line may hang and ignore its time limit."""

    language = "en"
    path = ("greeting",)

    def __init__(self, line: HangingTelephone) -> None:
        self._line = line

    async def run(self) -> SessionResult:
        while True:
            try:
                await self._line.talk()
                break
            except asyncio.CancelledError:
                # A bug swallows the keeper's own time limit: the guard is what is left.
                if self._line.ignores_its_limit:
                    self._line.ignores_its_limit = False
                    self._line.hangs_at = Stage.IN_CALL
                    continue
                raise
        return SessionResult(CallEnd.COMPLETED, None, "en", ("greeting", "goodbye"))


@dataclass
class Guarded:
    line: HangingTelephone
    books: Books
    events: list[Any]
    keeper: LineKeeper
    guard: LineGuard
    scribe: Scribe

    def told(self) -> list[str]:
        return [text for text in self.books.incidents if "hung" in text]


def guarded(name: str, line: HangingTelephone, books: Books | None = None) -> Guarded:
    books = books or Books()
    events: list[Any] = []
    watched = WatchedLine(line)
    status = LineStatus(name, lambda: datetime(2026, 1, 1, tzinfo=UTC), events.append)
    limits = KeeperLimits(rings=2, longest_call_seconds=_LONGEST_CALL_SECONDS)
    scribe = Scribe()
    receive = lambda *_: Talk(line)  # noqa: E731
    keeper = LineKeeper(watched, status, books, receive, events.append, limits, scribe)  # type: ignore[arg-type]
    return Guarded(line, books, events, keeper, LineGuard(keeper, watched, _LONGEST_CALL_SECONDS), scribe)


async def run_for(seconds: float, *lines: Guarded) -> None:
    tasks = [
        asyncio.create_task(keep_alive(each.keeper.status.name, each.guard.run, each.guard.crashed)) for each in lines
    ]
    tasks += [asyncio.create_task(each.scribe.run()) for each in lines]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


_HANGS = [Stage.OPENING, Stage.IDLE, Stage.RINGING, Stage.ANSWERING, Stage.HANGING_UP, Stage.IN_CALL]


@pytest.mark.parametrize("stage", _HANGS, ids=lambda stage: stage.name)
async def test_line_that_hangs_is_restarted_alone_and_takes_calls_again(stage: Stage) -> None:
    line = HangingTelephone(stage, ignores_its_limit=stage is Stage.IN_CALL)
    hung, other = guarded("front", line), guarded("back", HangingTelephone(None))
    await run_for(911, hung, other)
    assert len(hung.line.opened_at) == 2
    assert hung.line.calls >= 3
    [sentence] = hung.told()
    assert sentence.startswith("line front hung for ")
    assert sentence.endswith(f"while it was {stage.value}, and was restarted")
    assert hung.books.incidents[-1] == "end"
    assert len(other.line.opened_at) == 1
    assert other.line.calls >= 10
    assert other.told() == []


async def test_call_on_a_line_that_hung_ends_by_a_fault() -> None:
    hung = guarded("front", HangingTelephone(Stage.ANSWERING))
    await run_for(200, hung)
    ends = [event.end for event in hung.events if isinstance(event, CallEnded)]
    assert ends[0] is CallEnd.INTERNAL_FAULT
    assert ends[1] is CallEnd.COMPLETED


async def test_line_that_also_hangs_while_it_is_ended_comes_back() -> None:
    hung = guarded("front", HangingTelephone(Stage.IDLE, stubborn=True))
    await run_for(400, hung)
    assert len(hung.line.opened_at) == 2
    assert hung.line.calls >= 3


async def test_keeper_that_waits_for_its_records_for_ever_is_restarted() -> None:
    hung = guarded("front", HangingTelephone(None), Books(hangs=True))
    await run_for(600, hung)
    [sentence] = hung.told()
    assert "between two tasks" in sentence
    assert hung.line.calls >= 3


async def test_idle_line_whose_modem_answers_is_left_in_peace_for_days() -> None:
    quiet = guarded("front", HangingTelephone(None))

    async def never_rings() -> None:
        while True:
            await asyncio.sleep(7)
            quiet.line.last_proved_alive = asyncio.get_running_loop().time()

    quiet.line.wait_for_ring = never_rings  # type: ignore[method-assign]
    await run_for(2 * 86_400, quiet)
    assert len(quiet.line.opened_at) == 1


async def test_resting_line_is_left_in_peace() -> None:
    resting = guarded("front", HangingTelephone(Stage.OPENING))

    async def rest() -> None:
        await asyncio.sleep(1)
        resting.keeper.status.change(LineState.RESTING)

    await asyncio.gather(rest(), run_for(3600, resting))
    assert resting.books.incidents == []
