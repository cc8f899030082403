"""One call, from the first word to the last: the machine says where the call is, the session does what is to do there.

Nothing that goes wrong in here may leave a caller in silence: every error of an action leads to the fault exit, which
speaks and lets the line be hung up. Only a failing line passes through, for its keeper, and a cancellation, once the
caller has been told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from firmware.errors import CallerGone
from firmware.events import CallEnd, CallerId, StepEntered
from firmware.interruption import Interrupted, Interruption
from firmware.ivr import callback_actions, message_actions, plain_actions
from firmware.ivr.asking import Asker
from firmware.ivr.call import Call
from firmware.ivr.dialogue import Dialogue, TimeIsUp
from firmware.ivr.farewell import INCIDENT_KIND, Farewell
from firmware.ivr.fault_trap import Fault, trapped
from firmware.ivr.flow import Flow, Outcome, Step
from firmware.ivr.listening import DeafRecognizer, Listening
from firmware.ivr.machine import At, Exit, compile_flow
from firmware.ivr.places import Place
from firmware.ivr.takes import TakeKeeper
from firmware.ports import CallStore, CallWatcher, Clock, PromptShelf, Recognizer, VoiceLine
from firmware.settings import CallSettings, SpeechSettings

__all__ = ["INCIDENT_KIND", "CallSession", "SessionResult"]

# The dialogue ends a call in good form at its longest time, between two sentences. What then still hangs (a long
# message played back, a line that answers nothing) is cut off this much later.
_GRACE_SECONDS = 30.0

Action = Callable[[Call, Step], Awaitable[Outcome]]


async def _hang_up(call: Call, step: Step) -> Outcome:
    await call.talk.say_whole(step.prompt, languages=plain_actions.languages_of(call, step))
    return Outcome.HUNG_UP


_ACTIONS: Mapping[Place, Action] = {
    Place.SAY: plain_actions.say,
    Place.CHOOSE_LANGUAGE: plain_actions.choose_language,
    Place.MENU: plain_actions.menu,
    Place.BRANCH: plain_actions.branch,
    Place.GOTO: plain_actions.goto,
    Place.TAKE: message_actions.take,
    Place.REVIEW: message_actions.review,
    Place.OWN_NUMBER: callback_actions.own_number,
    Place.ENTER_NUMBER: callback_actions.enter_number,
    Place.READ_BACK: callback_actions.read_back,
    Place.WHEN: callback_actions.when,
    Place.REASON: callback_actions.reason,
    Place.SUMMARY: callback_actions.summary,
    Place.HANG_UP: _hang_up,
}


@dataclass(frozen=True, slots=True)
class SessionResult:
    """How a call went, for its record. `path` names the steps in the order they were entered."""

    end: CallEnd
    evidence: str | None
    language: str
    path: tuple[str, ...]


class CallSession:
    """One call on a line that is off hook. Used once."""

    def __init__(
        self,
        flow: Flow,
        voice: VoiceLine,
        store: CallStore,
        shelf: PromptShelf,
        clock: Clock,
        caller: CallerId,
        call_id: str,
        line: str,
        watcher: CallWatcher,
        settings: CallSettings,
        languages: Sequence[str],
        recognizer: Recognizer | None = None,
        speech: SpeechSettings | None = None,
    ) -> None:
        deadline = asyncio.get_running_loop().time() + settings.longest_seconds
        speech = speech or SpeechSettings()
        ears = Listening(voice, recognizer or DeafRecognizer(), speech)
        names = (line, call_id)
        talk = Dialogue(voice, shelf, watcher, names, ears, languages[0], settings.no_input_seconds, deadline)
        takes, ask = TakeKeeper(talk, store, settings), Asker(talk, speech)
        self._call = Call(flow, call_id, line, caller, store, clock, settings, languages, talk, ask, takes)
        self._farewell = Farewell(self._call)
        self._backstop = deadline + _GRACE_SECONDS
        self._release = Interruption()

    @property
    def language(self) -> str:
        """The language spoken now."""
        return self._call.talk.language

    @property
    def path(self) -> tuple[str, ...]:
        """The steps entered so far."""
        return tuple(self._call.path)

    def release(self) -> None:
        """The battery is nearly empty: keep what is being recorded, tell the caller, and come to the end."""
        self._release.ask()

    async def run(self) -> SessionResult:
        """Lead the caller through the flow. The line stays off hook; hanging up is its owner's.

        Cancelled, it keeps what is being recorded, tells the caller within a bound, and raises CancelledError.
        Raises: ModemError, PortError when the line fails; what was recorded until then is kept.
        """
        try:
            end, evidence = await self._to_an_end_or_release()
        except asyncio.CancelledError:
            await self._farewell.at_shutdown()
            raise
        return SessionResult(end, evidence, self.language, self.path)

    async def _to_an_end_or_release(self) -> tuple[CallEnd, str | None]:
        try:
            async with self._release.breakable():
                return await self._to_an_end()
        except Interrupted:
            await self._farewell.at_low_battery()
            return CallEnd.LOW_BATTERY, None

    async def _to_an_end(self) -> tuple[CallEnd, str | None]:
        try:
            end = await trapped(self._walk())
        except CallerGone as gone:
            return CallEnd.CALLER_HUNG_UP, gone.evidence
        return (await self._end_by_fault(end.error) if isinstance(end, Fault) else end), None

    async def _walk(self) -> CallEnd:
        await self._recall_language()
        fault: Exception | None = None
        with compile_flow(self._call.flow).position() as position:
            while (at := position.at) is not None:
                self._tell_step(at)
                outcome, fault = await self._act(at)
                await position.move(outcome)
            return await self._leave(position.exit, fault)

    async def _leave(self, way: Exit, fault: Exception | None) -> CallEnd:
        if fault is not None:
            return await self._end_by_fault(fault)
        if way is Exit.TIME_LIMIT:
            await self._farewell.at_time_limit()
            return CallEnd.TIME_LIMIT
        return self._call.end_in_good_form()

    async def _end_by_fault(self, fault: Exception) -> CallEnd:
        await self._farewell.at_fault(fault)
        return CallEnd.INTERNAL_FAULT

    async def _act(self, at: At) -> tuple[Outcome, Exception | None]:
        result = await trapped(self._act_in_time(at))
        if not isinstance(result, Fault):
            return result, None
        late = asyncio.get_running_loop().time() >= self._backstop
        if late or isinstance(result.error, TimeIsUp):
            return Outcome.TIME_IS_UP, None
        return Outcome.FAULT, result.error

    async def _act_in_time(self, at: At) -> Outcome:
        async with asyncio.timeout_at(self._backstop):
            return await _ACTIONS[at.place](self._call, at.step)

    async def _recall_language(self) -> None:
        language = await plain_actions.remembered_language(self._call)
        if language is not None:
            self._call.talk.language = language
            self._call.language_remembered = True

    def _tell_step(self, at: At) -> None:
        call = self._call
        if not call.path or call.path[-1] != at.step.name:
            call.path.append(at.step.name)
            call.talk.watcher(StepEntered(call.line_name, call.call_id, at.step.name))
