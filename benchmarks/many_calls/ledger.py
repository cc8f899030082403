"""What the outside saw of every call: what was said when, and what the appliance told its watchers."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from firmware.events import (
    CallbackKept,
    CallEnd,
    CallEnded,
    CallEvent,
    LineChanged,
    MessageKept,
    RecordingEnd,
    RecordingStarted,
    RecordingStopped,
)
from firmware.simulation.call import Spoken
from firmware.simulation.exchange_events import ExchangeEvent, Happening


@dataclass(frozen=True, slots=True)
class Window:
    """A time during which the appliance recorded, on the loop's clock."""

    start_seconds: float
    end_seconds: float

    def later(self, seconds: float) -> Window:
        """The same with another beginning."""
        return Window(self.start_seconds + seconds, self.end_seconds)


@dataclass(slots=True)
class CallFacts:
    """One call from both sides."""

    number: int
    line: str
    person: str
    trouble: str
    late_seconds: float = 0.0
    answered_at_seconds: float | None = None
    spoken: list[Spoken] = field(default_factory=list)
    events: list[tuple[float, CallEvent]] = field(default_factory=list)

    def __str__(self) -> str:
        return f"call {self.number} on {self.line} ({self.person}; {self.trouble or 'no trouble'})"

    def messages(self) -> list[MessageKept]:
        """What the appliance acknowledged."""
        return [event for _, event in self.events if isinstance(event, MessageKept)]

    def callbacks(self) -> list[CallbackKept]:
        """What the appliance promised."""
        return [event for _, event in self.events if isinstance(event, CallbackKept)]

    def ends(self) -> list[CallEnd]:
        """How it ended, as the appliance saw it."""
        return [event.end for _, event in self.events if isinstance(event, CallEnded)]

    def windows(self) -> list[Window]:
        """When it was recorded."""
        found: list[Window] = []
        started: float | None = None
        for at, event in self.events:
            if isinstance(event, RecordingStarted):
                started = at
            elif isinstance(event, RecordingStopped) and started is not None:
                # A modem that fell silent is given up some seconds later.
                heard_until = started + event.seconds if event.end is RecordingEnd.FAULT else at
                found.append(Window(started, heard_until))
                started = None
        return found

    def window_of(self, kept: MessageKept) -> Window | None:
        """The recording that an acknowledgement is about: the last one before it."""
        at = next(at for at, event in self.events if event is kept)
        return next((window for window in reversed(self.windows()) if window.end_seconds <= at), None)


class Ledger:
    """Files every event under the call that is going on at its line."""

    def __init__(self) -> None:
        self.calls: list[CallFacts] = []
        self.crashes: list[str] = []
        self._current: dict[str, CallFacts] = {}

    def begin(self, line: str, person: str, trouble: str = "", late_seconds: float = 0.0) -> CallFacts:
        """A call is about to ring; its modem's results come that late."""
        facts = CallFacts(len(self.calls) + 1, line, person, trouble, late_seconds)
        self.calls.append(facts)
        self._current[line] = facts
        return facts

    def told(self, event: CallEvent | LineChanged) -> None:
        """From the appliance."""
        if isinstance(event, LineChanged):
            if event.fault and "internal error" in event.fault:
                self.crashes.append(f"{self._current.get(event.line)}: {event.fault}")
        elif event.line in self._current:
            self._current[event.line].events.append((asyncio.get_running_loop().time(), event))

    def seen(self, event: ExchangeEvent) -> None:
        """From the exchange."""
        facts = self._current.get(event.line)
        if facts and event.happening is Happening.ANSWERED and facts.answered_at_seconds is None:
            facts.answered_at_seconds = event.at_seconds

    def tally(self) -> Counter[str]:
        """How many calls ended how, and what was kept."""
        counts = Counter(end.value for facts in self.calls for end in facts.ends())
        counts["messages"] = len({kept.message_id for facts in self.calls for kept in facts.messages()})
        counts["callbacks"] = len({kept.callback_id for facts in self.calls for kept in facts.callbacks()})
        counts["answered"] = sum(facts.answered_at_seconds is not None for facts in self.calls)
        return counts
