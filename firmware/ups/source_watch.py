"""Whether what watches the power still tells anything. Pure."""

from __future__ import annotations


class SourceWatch:
    """Silent for `dead_after_seconds`, or saying nothing of mains for so long, is dead (NUT's DEADTIME)."""

    def __init__(self, dead_after_seconds: float, now_seconds: float) -> None:
        self._dead_after_seconds = dead_after_seconds
        self._heard_at = now_seconds
        self._reason = ""
        self.died_at: float | None = None
        """When it was found dead; None while it is not."""

    def hear(self, now_seconds: float) -> bool:
        """It tells of mains. Returns whether it was dead until now."""
        was_dead = self.died_at is not None
        self._heard_at, self._reason, self.died_at = now_seconds, "", None
        return was_dead

    def lost(self, reason: str) -> None:
        """It says why it tells nothing; it has until `dies_at` to come back."""
        self._reason = reason

    @property
    def dies_at(self) -> float | None:
        """When it counts as dead if it stays silent; None where it does already."""
        return None if self.died_at is not None else self._heard_at + self._dead_after_seconds

    def die(self, now_seconds: float) -> str:
        """It is dead now. Returns the sentence for people."""
        self.died_at = now_seconds
        return f"nothing is known of mains and battery for {self._dead_after_seconds:g} s; {self._why()}"

    def _why(self) -> str:
        return self._reason or "check the cable between the UPS and this device, and the settings of `power`"
