"""A telephone exchange of one country, with as many lines as a bench needs. Event driven: nothing ticks."""

from __future__ import annotations

import asyncio

from firmware.errors import LinekeeperError
from firmware.simulation.exchange_events import ExchangeEvent, ExchangeWatcher, Happening
from firmware.simulation.far_end import FarEnd
from firmware.simulation.line_card import LineCard
from firmware.simulation.loop import Loop
from firmware.simulation.tones import tone_plan


class NoSuchLine(LinekeeperError):
    """The exchange has no line of this name or number."""


class Exchange:
    """Lines by name, and the numbers that they can dial. A number that was not registered answers after two rings."""

    def __init__(self, country: str = "CN") -> None:
        self.plan = tone_plan(country)
        self.lines: dict[str, LineCard] = {}
        self._far_ends: dict[str, FarEnd] = {}
        self._far_ends_by_line: dict[str, FarEnd] = {}
        self._default_far_end = FarEnd()
        self._watchers: list[ExchangeWatcher] = []

    def add_line(self, name: str, number: str = "", loop: Loop | None = None) -> LineCard:
        """One more line; its number is what callers dial."""
        card = LineCard(name, number, loop or Loop(), self, self.plan)
        self.lines[name] = card
        return card

    def line(self, name_or_number: str) -> LineCard:
        """Raises: NoSuchLine."""
        for card in self.lines.values():
            if name_or_number in (card.name, card.number):
                return card
        raise NoSuchLine(f"there is no line {name_or_number!r}; there are {', '.join(self.lines) or 'none'}")

    def register(self, number: str, far_end: FarEnd) -> None:
        """Say what a number does when a line dials it."""
        self._far_ends[number] = far_end

    def register_others(self, far_end: FarEnd, line: str | None = None) -> None:
        """Say what every number does that was not registered: when this line dials it, or any line (None)."""
        if line is None:
            self._default_far_end = far_end
        else:
            self._far_ends_by_line[line] = far_end

    def watch(self, watcher: ExchangeWatcher) -> None:
        """Be told everything that happens. Watchers must not block or raise."""
        self._watchers.append(watcher)

    def route(self, line: str, number: str) -> FarEnd:
        """What a number does that a line dialled."""
        others = self._far_ends_by_line.get(line, self._default_far_end)
        return self._far_ends.get(number, others)

    def complete(self, number: str) -> bool:
        """Whether a number is registered, and no registered number goes on from it."""
        goes_on = any(other != number and other.startswith(number) for other in self._far_ends)
        return number in self._far_ends and not goes_on

    def happened(self, line: str, happening: Happening, detail: str) -> None:
        """Tell the watchers."""
        event = ExchangeEvent(line, happening, asyncio.get_running_loop().time(), detail)
        for watcher in self._watchers:
            watcher(event)
