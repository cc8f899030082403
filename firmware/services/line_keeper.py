"""Keeps one line answering: opens it, takes call after call, and brings it back after every fault."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from firmware.errors import LineHung, ModemError, PortError
from firmware.events import CallAnswered, CallEnd, CallEnded, CallerId, CallEvent, CallRinging, LineState
from firmware.interruption import Interrupted, Interruption
from firmware.ivr.session import INCIDENT_KIND, SessionResult
from firmware.ports import CallStore, CallWatcher, TelephoneLine, VoiceLine
from firmware.services.call_record import CallRecord
from firmware.services.incident_book import IncidentBook
from firmware.services.line_status import LineStatus
from firmware.services.scribe import Scribe


class Conversation(Protocol):
    """The talk with one caller, such as `ivr.session.CallSession`."""

    @property
    def language(self) -> str:
        """The language spoken now."""

    @property
    def path(self) -> tuple[str, ...]:
        """The steps entered so far."""

    async def run(self) -> SessionResult:
        """Talk to the end. Raises: ModemError, PortError."""

    def release(self) -> None:
        """Tell the caller that the battery is nearly empty, and come to the end."""


Reception = Callable[[VoiceLine, CallerId, str, str], Conversation]
"""Begins to talk: the line off hook, who calls, the call's id, the line's name."""

# An absent modem is looked for again at this pace. A returning one needs about 2 s until its first AT
# (modem-reference 12), so the first retries come quickly and soon find it.
_RETRY_SECONDS = (1.0, 2.0, 2.0, 5.0)
# A modem that gets its power back starts, and is found by the kernel; until then its absence is no fault.
_WAKING_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class KeeperLimits:
    """How a keeper treats its line."""

    rings: int
    longest_call_seconds: float
    """A call that ignores its own time limit is broken off then: the line's own watchdog."""


class LineKeeper:
    """One line's life. `run` ends only by cancellation; every fault of the line is handled here and told."""

    def __init__(
        self,
        line: TelephoneLine,
        status: LineStatus,
        store: CallStore,
        receive: Reception,
        watcher: CallWatcher,
        limits: KeeperLimits,
        scribe: Scribe,
    ) -> None:
        self._line = line
        self.status = status
        self._store = store
        self._receive = receive
        self._watcher = watcher
        self._limits = limits
        self._scribe = scribe
        self._incident = IncidentBook(store, "modem", status.name)
        self._failures = 0
        self._conversation: Conversation | None = None
        self._rest = Interruption()
        self._wakes_until = 0.0
        # A fault that an earlier run left open is ended by the first good call as well.
        self._call_fault_open = True
        self.hung = False
        """Set by the line's guard before it ends a run that hangs: the call on it then ends by a fault."""
        self.tried = asyncio.Event()
        """Set once the line can ring, or has failed for the first time."""

    async def run(self) -> None:
        """Open, answer, recover, for ever; rest where that is asked."""
        try:
            while True:
                with suppress(Interrupted):
                    await self._open_and_answer()
                if self._rest.asked:
                    await self._rest_until_wanted()
        finally:
            await self._line.close()
            self.status.change(LineState.STOPPED)

    def rest(self, *, resting: bool) -> None:
        """Give the port back once no call is on the line, so that its modem can do without power; or open it again."""
        if resting:
            self._rest.ask()
        else:
            self._rest.withdraw()

    def release(self) -> None:
        """Let go of the caller who is on the line, in good form; the battery is nearly empty."""
        if self._conversation is not None:
            self._conversation.release()

    def note_last_answer(self) -> None:
        """Bring the status up to date with the idle probes, which happen inside of the line."""
        answered_at = self._line.last_proved_alive
        if answered_at is not None:
            self.status.proved_alive(seconds_ago=asyncio.get_running_loop().time() - answered_at)

    async def crashed(self, error: Exception) -> None:
        """A bug of ours, or the guard, ended `run`; the supervisor will start it again."""
        sentence = f"line {self.status.name} was restarted after an internal error ({type(error).__name__})"
        if isinstance(error, LineHung):
            sentence = str(error)
        self.status.change(LineState.FAULT, sentence)
        self._scribe.write(self._incident.begin, sentence)

    async def _open_and_answer(self) -> None:
        try:
            async with self._rest.breakable():
                await self._line.open()
            self._healthy()
            while True:
                await self._answer_until_fault()
                async with self._rest.breakable():
                    await self._line.reset()
                self._scribe.write(self._incident.note, "the modem was reset")
                self._healthy()
        except (PortError, ModemError) as error:
            if asyncio.get_running_loop().time() < self._wakes_until:
                await self._try_again_after(_RETRY_SECONDS[0])
            else:
                self._fault(str(error))
                await self._wait_to_retry()

    async def _answer_until_fault(self) -> None:
        """Take calls until the modem misbehaves; a port that is gone goes up at once."""
        try:
            while True:
                await self._take_call()
        except ModemError as error:
            self._fault(str(error))

    async def _take_call(self) -> None:
        async with self._rest.breakable():
            self.status.change(LineState.IDLE)
            await self._line.wait_for_ring()
        self.status.rang()
        self.status.change(LineState.RINGING)
        record = CallRecord(self._store, self.status.name)
        self._conversation = None
        result = _cut_short(CallEnd.INTERNAL_FAULT)
        try:
            result = await self._answer(record)
        except (PortError, ModemError):
            result = _cut_short(CallEnd.LINE_FAULT, self._conversation)
            raise
        except asyncio.CancelledError:
            end = CallEnd.INTERNAL_FAULT if self.hung else CallEnd.SHUTDOWN
            result = _cut_short(end, self._conversation)
            raise
        finally:
            try:
                await record.ended(result)
            finally:
                self._follow_call_fault(result.end)
                self._tell(CallEnded, record, result.end, result.evidence, result.path)

    async def _answer(self, record: CallRecord) -> SessionResult:
        caller = await self._line.read_caller(self._limits.rings)
        self._tell(CallRinging, record, caller or CallerId())
        if caller is None:
            return _cut_short(CallEnd.NOT_ANSWERED)
        try:
            async with asyncio.timeout(self._limits.longest_call_seconds), self._line.answer() as voice:
                record.answered(caller)
                self.status.change(LineState.IN_CALL)
                self._tell(CallAnswered, record)
                self._conversation = self._receive(voice, caller, record.call_id, self.status.name)
                return await self._conversation.run()
        except TimeoutError as error:
            raise ModemError("a call did not end in time, so the line was reset") from error

    def _tell(self, event: Callable[..., CallEvent], record: CallRecord, *details: object) -> None:
        self._watcher(event(self.status.name, record.call_id, *details))

    def _follow_call_fault(self, end: CallEnd) -> None:
        """The session tells of a fault of its own; a later call that went well ends it."""
        if end in (CallEnd.INTERNAL_FAULT, CallEnd.LINE_FAULT):
            self._call_fault_open = True
        elif end is CallEnd.COMPLETED and self._call_fault_open:
            self._call_fault_open = False
            self._scribe.write(IncidentBook(self._store, INCIDENT_KIND, self.status.name).end)

    def _healthy(self) -> None:
        if self._failures:
            self._scribe.write(self._incident.note, "the port was opened again and the modem was set up")
        self._failures, self._wakes_until = 0, 0.0
        self.status.identity = self._line.identity
        self.status.proved_alive()
        self.status.change(LineState.IDLE)
        self.tried.set()
        self._scribe.write(self._incident.end)

    def _fault(self, sentence: str) -> None:
        self.status.change(LineState.FAULT, sentence)
        self.tried.set()
        self._scribe.write(self._incident.begin, f"line {self.status.name}: {sentence}")

    async def _wait_to_retry(self) -> None:
        """Give the port back, or the returning modem gets another number (modem-reference 12); then wait."""
        if not self._failures:
            self._scribe.write(self._incident.note, "the port was closed, and the modem is being looked for")
        pause = _RETRY_SECONDS[min(self._failures, len(_RETRY_SECONDS) - 1)]
        self._failures += 1
        await self._try_again_after(pause)

    async def _try_again_after(self, pause_seconds: float) -> None:
        await self._line.close()
        async with self._rest.breakable():
            await asyncio.sleep(pause_seconds)

    async def _rest_until_wanted(self) -> None:
        """The modem may lose its power and vanish meanwhile: nobody looks for it, and no incident begins."""
        await self._line.close()
        self.status.change(LineState.RESTING)
        self.tried.set()
        await self._rest.withdrawn()
        self._wakes_until = asyncio.get_running_loop().time() + _WAKING_SECONDS
        self.status.change(LineState.OPENING)


def _cut_short(end: CallEnd, conversation: Conversation | None = None) -> SessionResult:
    if conversation is None:
        return SessionResult(end, None, "", ())
    return SessionResult(end, None, conversation.language, conversation.path)
