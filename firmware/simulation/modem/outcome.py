"""What a command handler hands back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from firmware.simulation.modem.command_line import Command


@dataclass(frozen=True, slots=True)
class Outcome:
    """Lines of information, the result, and what happens once the result has left.

    Any result but OK ends the command line.
    """

    result: str = "OK"
    lines: tuple[str, ...] = ()
    then: Callable[[], None] | None = None


OK = Outcome()

Handler = Callable[[Command], Outcome | Awaitable[Outcome]]
