"""Who is at the other side of a line: callers who ring it, and numbers that it dials."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from firmware.simulation.line_card import LineCard


class FarParty(Protocol):
    """The other side of one call, as a line card sees it. Methods must not block."""

    def connected(self) -> None:
        """The way is open: both can hear each other from now on."""

    def released(self) -> None:
        """The subscriber hung up; nothing follows."""


class Answers(Enum):
    """What a dialled number does. Values are the `answers` field of `linekeeper bench serve`."""

    ANSWER = "answer"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNKNOWN = "unknown"


class SilentParty:
    """Somebody who answers and says nothing."""

    def connected(self) -> None:
        """Says nothing."""

    def released(self) -> None:
        """Takes no notice."""


def _nobody_in_particular(_: LineCard) -> FarParty:
    return SilentParty()


@dataclass(frozen=True, slots=True)
class FarEnd:
    """Behaviour of a number that a line may dial; it answers after `rings` rings, as the party made for the call."""

    answers: Answers = Answers.ANSWER
    rings: int = 2
    party: Callable[[LineCard], FarParty] = _nobody_in_particular
