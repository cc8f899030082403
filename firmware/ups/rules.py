"""Rules with the moment at which they come due: the one shape of everything that the policy does. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

When = Callable[[], float | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """`at` tells when it comes due, None for not at all; `act` is then called with the time it is.

    Acting must make `at` tell another time or None: that is what lets every settling end.
    """

    at: When
    act: Callable[[float], None]

    def due(self, now_seconds: float) -> bool:
        """Whether to act now, or late."""
        at = self.at()
        return at is not None and now_seconds >= at


def first_due(rules: Iterable[Rule], now_seconds: float) -> Rule | None:
    """The first rule, in their order, that is due."""
    return next((rule for rule in rules if rule.due(now_seconds)), None)


def earliest(moments: Iterable[float | None]) -> float | None:
    """The first of these moments; None where there is none."""
    return min((moment for moment in moments if moment is not None), default=None)


def latest(*moments: float | None) -> float | None:
    """When all of them have come; None where one never does."""
    known = [moment for moment in moments if moment is not None]
    return max(known) if len(known) == len(moments) else None
