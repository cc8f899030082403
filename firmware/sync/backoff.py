"""When to try again. Pure: chance is passed in as a number from 0 to 1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Chance = Callable[[], float]
"""A random number from 0 to 1."""

# Whoever answers Retry-After with a year is wrong, or no collector: an appliance looks again within the hour.
_MOST_RETRY_AFTER_SECONDS = 3600.0
# Many are told the same Retry-After at once; each adds up to this part of it, and at least a second or so.
_RETRY_AFTER_JITTER = 0.25
_LEAST_RETRY_AFTER_JITTER_SECONDS = 2.0
_MOST_DOUBLINGS = 20


@dataclass(frozen=True, slots=True)
class BackoffTimes:
    """Full jitter between these (power-reference 3.2): a random part of a span that doubles with each failure."""

    first_seconds: float = 2.0
    longest_seconds: float = 900.0


class Backoff:
    """Counts failures in a row, and says how long to wait after each."""

    def __init__(self, chance: Chance, times: BackoffTimes | None = None) -> None:
        self._chance = chance
        self._times = times or BackoffTimes()
        self.failures = 0

    def succeeded(self) -> None:
        """The next failure is a first one."""
        self.failures = 0

    def failed(self, retry_after_seconds: float | None = None) -> float:
        """Seconds until the next try; `retry_after_seconds` is the far end's word, and is never undercut."""
        doublings = min(self.failures, _MOST_DOUBLINGS)
        self.failures += 1
        span = min(self._times.longest_seconds, self._times.first_seconds * 2.0**doublings)
        # Never none at all: a far end that refuses at once would else be asked without a pause.
        own = max(self._chance() * span, min(self._times.first_seconds, span) / 2)
        if retry_after_seconds is None:
            return own
        asked = min(max(0.0, retry_after_seconds), _MOST_RETRY_AFTER_SECONDS)
        return asked + self._chance() * max(asked * _RETRY_AFTER_JITTER, _LEAST_RETRY_AFTER_JITTER_SECONDS)
