"""Mains as it comes from a contact: bouncing, flapping, now and then not told at all. Pure."""

from __future__ import annotations


class MainsSense:
    """Makes one level out of many readings.

    Time away counts up, time there counts down, as a charge does: the level changes where that reaches its end. A clean
    cut is taken after `confirm_seconds`, shorter ones leave no trace, and a supply that chatters is what it is for most
    of the time. What was heard last holds for `hold_seconds`; all times are seconds on the caller's clock.
    """

    def __init__(self, confirm_seconds: float, hold_seconds: float) -> None:
        self._confirm_seconds = confirm_seconds
        self._hold_seconds = hold_seconds
        self._heard: bool | None = None
        self._heard_at = 0.0
        self._counted_until = 0.0
        self._charge_seconds = 0.0
        self._away_seconds = 0.0
        self._steady_since: float | None = None
        self.level: bool | None = None
        """Whether there is mains; None until something was heard."""
        self.since = 0.0
        """When the level became so: the moment of the edge, not of its confirmation."""

    @property
    def away_seconds(self) -> float:
        """Seconds without mains since `forget_outage`."""
        return self._away_seconds

    def hear(self, there: bool, now_seconds: float) -> None:
        """A reading. Readings after a long silence prove nothing of the time between."""
        self.advance(now_seconds)
        silent = self._heard is None or now_seconds > self._heard_at + self._hold_seconds
        self._heard, self._heard_at, self._counted_until = there, now_seconds, now_seconds
        if self.level is None and there:
            self._become(True, now_seconds)
        elif self.level and (silent or self._steady_since is None):
            self._steady_since = now_seconds

    def advance(self, now_seconds: float) -> None:
        """Time went by; what was heard last still holds."""
        until = min(now_seconds, self._heard_at + self._hold_seconds)
        if self._heard is None or until <= self._counted_until:
            return
        turns_at = self.turns_at
        if turns_at is not None and until >= turns_at:
            self._count(turns_at)
            self._become(self._heard, turns_at - self._confirm_seconds)
        self._count(until)

    @property
    def turns_at(self) -> float | None:
        """When the level changes if nothing else is heard; None where it does not."""
        if self._heard is None or self._heard == self.level:
            return None
        left_seconds = self._charge_seconds if self._heard else self._confirm_seconds - self._charge_seconds
        turns_at = self._counted_until + left_seconds
        return turns_at if turns_at <= self._heard_at + self._hold_seconds else None

    def steady_at(self, seconds: float) -> float | None:
        """When mains will have been there for so long; None while it is away or not told."""
        return None if self._steady_since is None else self._steady_since + seconds

    def away_at(self, seconds: float) -> float | None:
        """When it will have been away for so long in sum; None while it is there or not told."""
        if self.level is not False or self._heard is not False:
            return None
        at = self._counted_until + max(0.0, seconds - self._away_seconds)
        return at if at <= self._heard_at + self._hold_seconds else None

    def forget_steadiness(self) -> None:
        """Nothing is told any more: mains counts as steady only from the next reading on."""
        self._steady_since = None

    def forget_outage(self) -> None:
        """A new outage begins: count its seconds anew."""
        self._away_seconds = self._counted_until - self.since

    def go_on_with_outage(self, began_seconds: float) -> None:
        """It began in an earlier run: count its seconds from there."""
        self._away_seconds = max(self._away_seconds, self._counted_until - began_seconds)

    def _become(self, there: bool, since: float) -> None:
        # It was so since then: what was counted in between belongs to the other side.
        mistaken_seconds = self._counted_until - since
        self._away_seconds = max(0.0, self._away_seconds + (-mistaken_seconds if there else mistaken_seconds))
        self.level, self.since = there, since
        self._steady_since = since if there else None

    def _count(self, until_seconds: float) -> None:
        seconds = until_seconds - self._counted_until
        change_seconds = -seconds if self._heard else seconds
        self._charge_seconds = min(max(0.0, self._charge_seconds + change_seconds), self._confirm_seconds)
        if self.level is False:
            self._away_seconds += seconds
        self._counted_until = until_seconds
