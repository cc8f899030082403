"""The last words of a call that does not end by its flow: at a fault, its longest time, a shutdown, a low battery."""

from __future__ import annotations

import asyncio

from firmware.errors import CallerGone, ModemError, PortError
from firmware.ivr.call import Call
from firmware.ivr.fault_trap import Fault, trapped
from firmware.journal import journal

INCIDENT_KIND = "call_fault"

# The longest prompt lasts 12 s (requirements, wording); twice that, and the line is not speaking at all.
_LAST_WORDS_SECONDS = 25.0
# The shutdown notice lasts 9 s. systemd waits 90 s for a service to stop, and all lines speak at once.
_SHUTDOWN_WORDS_SECONDS = 12.0
# The notice of a low battery lasts 5 s; what is left of the battery is for the disk.
_POWER_WORDS_SECONDS = 8.0
_REPORT_SECONDS = 25.0

_log = journal("ivr")


class Farewell:
    """Speaks the last words of one call, as far as anybody still hears them."""

    def __init__(self, call: Call) -> None:
        self._call = call

    async def at_time_limit(self) -> None:
        """The call has lasted long enough. Raises: CallerGone, ModemError, PortError."""
        await self._say(_LAST_WORDS_SECONDS, "time_limit", "goodbye")

    async def at_shutdown(self) -> None:
        """The appliance stops, or breaks the call off. Bounded; only a second cancellation is raised, at once."""
        await self._say_if_heard(_SHUTDOWN_WORDS_SECONDS, "shutdown_notice")

    async def at_low_battery(self) -> None:
        """The battery is nearly empty. Bounded, and nothing but a cancellation is raised."""
        await self._say_if_heard(_POWER_WORDS_SECONDS, "power_notice")

    async def at_fault(self, fault: Exception) -> None:
        """The call met an error of ours: tell the caller, and record an incident that says what the caller heard.

        Raises: ModemError, PortError when the line fails as well, after the incident is recorded.
        """
        step = self._call.path[-1] if self._call.path else "start"
        _log.error("a call met an internal error", call_id=self._call.call_id, step=step, exc_info=fault)
        heard = "The appliance was told to stop before the caller could hear of it."
        try:
            heard = await self._tell_fault()
        except (ModemError, PortError) as error:
            heard = f"The line failed as well before the caller could hear of it: {error}."
            raise
        finally:
            await self._report(step, fault, heard)

    async def _tell_fault(self) -> str:
        try:
            said = await self._say(_LAST_WORDS_SECONDS, "fault_exit")
        except CallerGone:
            return "The caller hung up before hearing that all saved is safe."
        if said:
            return "The caller heard that all saved is safe, and the call was ended."
        return "The call was ended; the caller could not be told why."

    async def _say_if_heard(self, longest_seconds: float, notice: str) -> None:
        try:
            await self._say(longest_seconds, notice)
        except (CallerGone, ModemError, PortError) as error:
            _log.info("nobody heard the notice", call_id=self._call.call_id, prompt=notice, error=str(error))

    async def _say(self, longest_seconds: float, *prompts: str) -> bool:
        """True when the caller heard it. An error of ours only goes to the journal: the call ends in any case."""
        result = await trapped(self._speak(longest_seconds, *prompts))
        if isinstance(result, Fault):
            _log.error("the last words cannot be spoken", call_id=self._call.call_id, exc_info=result.error)
        return not isinstance(result, Fault)

    async def _speak(self, longest_seconds: float, *prompts: str) -> None:
        async with asyncio.timeout(longest_seconds):
            await self._call.talk.say_whole(*prompts)

    async def _report(self, step: str, fault: Exception, heard: str) -> None:
        result = await trapped(self._record_incident(step, fault, heard))
        if isinstance(result, Fault):
            _log.error("the incident cannot be recorded", call_id=self._call.call_id, exc_info=result.error)

    async def _record_incident(self, step: str, fault: Exception, heard: str) -> None:
        store, line = self._call.store, self._call.line_name
        summary = f"A call on line {line} met an internal error in step {step}: {type(fault).__name__}."
        async with asyncio.timeout(_REPORT_SECONDS):
            await store.open_incident(INCIDENT_KIND, line, summary)
            await store.note_incident(INCIDENT_KIND, line, heard)
