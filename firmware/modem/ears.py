"""The events side of a line: sorts what a modem says of itself into rings, caller ID and the call in progress."""

from __future__ import annotations

import asyncio

from firmware.errors import PortError
from firmware.modem.call_state import CallState
from firmware.modem.options import Timings
from firmware.modem.ringing import RingWatch
from firmware.modem.waking import Bell

_RING_IN_CLASS_8 = ord("R")


class LineEars:
    """`dialogue.DialogueEvents` of one line. Everything here runs on the wire's call stack."""

    def __init__(self, timings: Timings) -> None:
        self._loop = asyncio.get_running_loop()
        self.bell = Bell()
        self.ringing = RingWatch(timings)
        self.call: CallState | None = None
        self.lost: PortError | None = None
        self.heard_at: float | None = None

    def ring(self) -> None:
        """RING, or its code in class 8."""
        self.heard_at = self._loop.time()
        if self.call is not None:
            self.call.ring()
        else:
            self.ringing.ring(self.heard_at)
        self.bell.ring()

    def caller_line(self, line: bytes) -> None:
        """A line of caller ID."""
        if self.call is None:
            self.ringing.caller_line(line, self._loop.time())
            self.bell.ring()

    def dle_code(self, code: int) -> None:
        """A DLE code that ends no audio."""
        if code == _RING_IN_CLASS_8:
            self.ring()
        elif self.call is not None:
            self.call.dle_code(code)

    def audio(self, data: bytes) -> None:
        """Samples."""
        if self.call is not None:
            self.call.audio(data)

    def audio_ended(self) -> None:
        """`<DLE><ETX>` behind the samples."""
        if self.call is not None:
            self.call.audio_ended()

    def wire_lost(self, error: PortError) -> None:
        """The wire is gone."""
        self.lost = error
        self.bell.ring()

    def rang_or_lost(self) -> bool:
        """Whether a call is offered, or none can be any more."""
        return self.ringing.ringing or self.lost is not None

    async def wait_for_change(self, timeout_seconds: float) -> None:
        """Until a ring, a line of caller ID, the loss of the wire, or the time-out."""
        changes = self.ringing.changes
        await self.bell.wait_until(lambda: self.ringing.changes != changes or self.lost is not None, timeout_seconds)
