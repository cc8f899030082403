"""What a contact means while it bounces: a level counts once it was steady for so long. Pure.

It is ours because gpiozero's mock pins ignore `bounce_time`, and because the libraries below it disagree on the word:
stable for so long, or deaf for so long after an edge (power-reference 1.4).
"""

from __future__ import annotations


class Debounce:
    """Takes edges and samples in the order of time; `level` is the one that counts now."""

    def __init__(self, steady_seconds: float, level: bool) -> None:
        self._steady_seconds = steady_seconds
        self._latest = level
        self._since_seconds = 0.0
        self.level = level

    @property
    def due_seconds(self) -> float | None:
        """When the latest level counts, if it stays; None where nothing is under way."""
        return None if self._latest == self.level else self._since_seconds + self._steady_seconds

    def seen(self, level: bool, at_seconds: float) -> bool:
        """An edge to this level, or a sample of it. Whether another level counts from now on."""
        settled = self.settled(at_seconds)
        if level != self._latest:
            self._latest = level
            self._since_seconds = at_seconds
        return self.settled(at_seconds) or settled

    def settled(self, at_seconds: float) -> bool:
        """Time went by. Whether another level counts from now on."""
        due_seconds = self.due_seconds
        if due_seconds is None or at_seconds < due_seconds:
            return False
        self.level = self._latest
        return True
