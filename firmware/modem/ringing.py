"""A call that rings: when it began, who calls, and when to answer or to give it up (modem-reference 4). Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from firmware.events import CallerId
from firmware.modem.caller_id import CallerIdReader
from firmware.modem.options import Timings

# A formatted caller ID has five lines; more than a few bursts of them is noise.
_MOST_EARLY_LINES = 32


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer now; `caller` is all that will be known."""

    caller: CallerId


@dataclass(frozen=True, slots=True)
class GivenUp:
    """The caller hung up before the answer."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before `until_seconds`, unless something comes."""

    until_seconds: float


class RingWatch:
    """Collects rings and caller ID lines of one line, on the caller's time scale."""

    def __init__(self, timings: Timings) -> None:
        self._timings = timings
        self._early: deque[tuple[float, bytes]] = deque(maxlen=_MOST_EARLY_LINES)
        self._reader = CallerIdReader()
        self._rings: list[float] = []
        self._last_line_at = float("-inf")
        self.changes = 0

    @property
    def ringing(self) -> bool:
        """Whether a call is offered."""
        return bool(self._rings)

    @property
    def began_at(self) -> float | None:
        """When the call that is offered began to ring."""
        return self._rings[0] if self._rings else None

    def ring(self, now_seconds: float) -> None:
        """The modem reports a ring."""
        self.changes += 1
        if not self._rings:
            self._use_early_lines(now_seconds)
        self._rings.append(now_seconds)

    def caller_line(self, line: bytes, now_seconds: float) -> None:
        """The modem reports a line of caller ID."""
        self.changes += 1
        self._last_line_at = now_seconds
        if self._rings:
            self._reader.feed(line)
        else:
            self._early.append((now_seconds, line))

    def forget(self) -> None:
        """That call is over; the next one begins afresh."""
        self._rings.clear()
        self._early.clear()
        self._reader = CallerIdReader()

    def forget_stale(self, now_seconds: float) -> None:
        """Forget a call that stopped ringing while nobody looked."""
        if self._rings and now_seconds - self._rings[-1] >= self._timings.ring_gap:
            self.forget()

    def decide(self, rings: int, now_seconds: float) -> Answer | GivenUp | Wait:
        """What to do about the call that rings."""
        gone_at = self._rings[-1] + self._timings.ring_gap
        if now_seconds >= gone_at:
            return GivenUp()
        quiet_at = self._last_line_at + self._timings.caller_id_quiet
        if self._reader.complete:
            return Answer(self._reader.caller)
        known_at = quiet_at if self._reader.number_seen else float("inf")
        answer_at = min(known_at, max(self._ring_due_at(rings), quiet_at))
        if now_seconds >= answer_at:
            return Answer(self._reader.caller)
        return Wait(min(answer_at, gone_at))

    def _ring_due_at(self, rings: int) -> float:
        """When this ring is there; caller ID between ring 1 and 2 must not be cut off by answering on ring 1."""
        if rings <= 1:
            return self._rings[0] + self._timings.first_caller_id
        return self._rings[rings - 1] if len(self._rings) >= rings else float("inf")

    def _use_early_lines(self, now_seconds: float) -> None:
        for at, line in self._early:
            if now_seconds - at <= self._timings.caller_id_before_ring:
                self._reader.feed(line)
        self._early.clear()
