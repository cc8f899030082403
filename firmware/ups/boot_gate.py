"""Keeps loads off after a start from an empty battery, so that we do not boot, drain it and boot again. Pure."""

from __future__ import annotations

from firmware.power_settings import PowerSettings

LONGEST_GATE_SECONDS = 4 * 3600.0
"""Doubling ends here."""
CALM_SECONDS = 3600.0
"""So much steady mains, with all loads on, and the next start counts as the first again."""


class BootGate:
    """Opens with a charge, or with time on mains that doubles with every start that follows at once."""

    def __init__(self, settings: PowerSettings, starts: int, now_seconds: float) -> None:
        self._percent = settings.charge_gate_percent
        self._restore_seconds = settings.restore_after_seconds
        self._started_at = now_seconds
        self.seconds = min(settings.charge_gate_seconds * 2.0 ** (starts - 1), LONGEST_GATE_SECONDS) if starts else 0.0

    def steady_seconds(self, battery_percent: float | None) -> float:
        """How long mains must have been steady before loads come back."""
        charged = battery_percent is not None and battery_percent >= self._percent
        return self._restore_seconds if charged else max(self.seconds, self._restore_seconds)

    @property
    def timed_out_at(self) -> float:
        """When loads come back though nothing is known of mains: no empty battery could have carried us so long."""
        return self._started_at + self.seconds

    def keeps_off(self, battery_percent: float | None) -> bool:
        """Whether, with mains away, going on would only drain what little there is."""
        return self.seconds > 0 and (battery_percent is None or battery_percent < self._percent)

    def sentence(self) -> str:
        """For people."""
        return (
            "this start follows one that ended with an empty battery; loads stay off until it holds"
            f" {self._percent:g} % or mains was there for {self.seconds / 60:.0f} minutes"
        )
