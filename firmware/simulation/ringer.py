"""Ring voltage in a country's cadence, and the caller ID message at its place between the bursts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from firmware.simulation.line_options import CallerIdTiming
from firmware.simulation.loop import CallerIdBurst, Loop

# From the end of a ring to the end of the message: the text comes 1 to 2 s after the first RING (modem-reference 4.3).
_MESSAGE_AFTER_RING_SECONDS = 0.5
# A DTMF message and the pause behind it.
_RING_AFTER_MESSAGE_SECONDS = 1.0
_MESSAGE_INTO_RING_SECONDS = 0.3
_RING_OF_MESSAGE = {CallerIdTiming.AFTER_FIRST_RING: 1, CallerIdTiming.AFTER_SECOND_RING: 2}


class Ringer:
    """Rings one loop until stopped. `rings` counts whole rings; a double burst is one."""

    def __init__(self, loop: Loop, cadence_ms: Sequence[int]) -> None:
        self._loop = loop
        self._cadence_ms = cadence_ms
        self._edge_timer: asyncio.TimerHandle | None = None
        self._message_timer: asyncio.TimerHandle | None = None
        self._burst: CallerIdBurst | None = None
        self._timing = CallerIdTiming.ABSENT
        self._edge_at = 0.0
        self._ringing = False
        self.rings = 0

    def start(self, burst: CallerIdBurst | None, timing: CallerIdTiming) -> None:
        """Begin, with silence so far."""
        self.rings = 0
        self._edge_at = asyncio.get_running_loop().time()
        self._burst = burst
        self._timing = timing if burst else CallerIdTiming.ABSENT
        if self._timing is CallerIdTiming.BEFORE_RING:
            self._send_message()
            self._next_edge(0, _RING_AFTER_MESSAGE_SECONDS)
            return
        self._edge(0)
        if self._timing is CallerIdTiming.DURING_RING:
            self._message_in(_MESSAGE_INTO_RING_SECONDS)

    def stop(self) -> None:
        """No more ring voltage, and no message that has not come yet."""
        for timer in (self._edge_timer, self._message_timer):
            if timer is not None:
                timer.cancel()
        if self._ringing:
            self._ringing = False
            self._loop.socket.ring_ended()

    def _edge(self, at: int) -> None:
        """Ring voltage changes; `at` counts the parts of the cadence, the even ones sound."""
        turn = at % len(self._cadence_ms)
        self._next_edge(at + 1, self._cadence_ms[turn] / 1000)
        if turn % 2 == 0:
            self._ringing = True
            self._loop.socket.ring_began()
            return
        self._ringing = False
        if turn == len(self._cadence_ms) - 1:
            self.rings += 1
            if self.rings == _RING_OF_MESSAGE.get(self._timing):
                self._message_in(_MESSAGE_AFTER_RING_SECONDS)
        self._loop.socket.ring_ended()

    def _next_edge(self, at: int, seconds: float) -> None:
        # Counted from edge to edge, so that a late loop does not stretch the cadence.
        self._edge_at += seconds
        self._edge_timer = asyncio.get_running_loop().call_at(self._edge_at, self._edge, at)

    def _message_in(self, seconds: float) -> None:
        self._message_timer = asyncio.get_running_loop().call_later(seconds, self._send_message)

    def _send_message(self) -> None:
        if self._burst is not None:
            self._loop.socket.caller_id(self._burst)
