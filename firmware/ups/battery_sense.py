"""Whether the battery is low, out of a flag, a percentage and a runtime that may be noisy or not told. Pure."""

from __future__ import annotations

from firmware.ports import PowerReading
from firmware.power_settings import PowerSettings

# What was low must be clearly better to be so no more: gauges wander by a percent or two.
_BETTER_PERCENT = 5.0
_BETTER_RUNTIME = 1.25


class BatterySense:
    """Any of the three signs counts once it was there without a break for `confirm_low_seconds`; None is no sign."""

    def __init__(self, settings: PowerSettings) -> None:
        self._settings = settings
        self._low_since: float | None = None
        self.percent: float | None = None
        """As told last, None where it is not told."""
        self.sign: str | None = None
        """What is low, as a sentence, confirmed or not."""

    def hear(self, reading: PowerReading, now_seconds: float) -> None:
        """A reading."""
        self.percent = reading.battery_percent
        self.sign = self._sign(reading)
        if self.sign is None:
            self._low_since = None
        elif self._low_since is None:
            self._low_since = now_seconds

    @property
    def low_at(self) -> float | None:
        """When the battery counts as low if nothing else is heard; None while there is no sign of it."""
        return None if self._low_since is None else self._low_since + self._settings.confirm_low_seconds

    def below(self, percent: float) -> bool:
        """Whether the charge is less, or not known."""
        return self.percent is None or self.percent < percent

    def _sign(self, reading: PowerReading) -> str | None:
        was_low = self._low_since is not None
        low_percent = self._settings.low_battery_percent + (_BETTER_PERCENT if was_low else 0.0)
        low_runtime = self._settings.low_runtime_seconds * (_BETTER_RUNTIME if was_low else 1.0)
        if reading.battery_low:
            return "the UPS says that its battery is low"
        if reading.battery_percent is not None and reading.battery_percent <= low_percent:
            return f"the battery holds {reading.battery_percent:.0f} %"
        if reading.runtime_seconds is not None and reading.runtime_seconds <= low_runtime:
            return f"the battery lasts {reading.runtime_seconds:.0f} s more"
        return None
