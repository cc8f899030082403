"""What happens at the exchange, for whoever watches a bench."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class Happening(Enum):
    """Kinds of events. Values are the `event` field of `linekeeper bench serve`."""

    RING = "ring"  # a call is offered; detail: the caller's number
    GAVE_UP = "gave_up"  # the caller hung up before the answer
    ANSWERED = "answered"  # the subscriber took the call
    OFF_HOOK = "off_hook"
    ON_HOOK = "on_hook"
    DIGIT = "digit"  # the subscriber sent a digit
    DIALLED = "dialled"  # detail: the whole number
    CONNECTED = "connected"  # a dialled far end answered
    FLASH = "flash"
    HUNG_UP = "hung_up"  # the far end is gone


@dataclass(frozen=True, slots=True)
class ExchangeEvent:
    """One event of a line; `at_seconds` is the event loop's time."""

    line: str
    happening: Happening
    at_seconds: float
    detail: str = ""


ExchangeWatcher = Callable[[ExchangeEvent], None]
