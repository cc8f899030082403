"""When mains and battery call for something, whatever state the ladder is in. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from firmware.power_settings import PowerSettings
from firmware.ups.battery_sense import BatterySense
from firmware.ups.boot_gate import BootGate
from firmware.ups.mains_sense import MainsSense
from firmware.ups.rules import earliest
from firmware.ups.source_watch import SourceWatch


@dataclass(frozen=True, slots=True)
class Senses:
    """What is known of the outside."""

    mains: MainsSense
    battery: BatterySense
    source: SourceWatch
    believed: Callable[[], bool]
    """Whether the UPS may make us shut down: wrong wiring may say "low" for ever."""


class Moments:
    """Each method tells a moment, past or to come; None where nothing heard so far leads there."""

    def __init__(self, settings: PowerSettings, senses: Senses, gate: BootGate) -> None:
        self._settings = settings
        self._mains, self._battery, self._source = senses.mains, senses.battery, senses.source
        self._gate = gate
        self._believed = senses.believed

    def lost(self) -> float | None:
        """Mains is away."""
        return self._mains.since if self._mains.level is False else None

    def there(self) -> float | None:
        """Mains is there, steady or not."""
        return self._mains.since if self._mains.level else None

    def steady(self) -> float | None:
        """Mains is back for good."""
        return self._mains.steady_at(self._settings.mains_steady_seconds)

    def empty_on_battery(self) -> float | None:
        """Mains is away, and the battery was empty not long ago."""
        return self.believed_loss() if self._gate.keeps_off(self._battery.percent) else None

    def believed_loss(self) -> float | None:
        """Mains is away, by a UPS that may make us shut down."""
        return self.lost() if self._believed() else None

    def second_tier(self) -> float | None:
        """Mains was away for so long that more must be saved."""
        return self._mains.away_at(self._settings.second_tier_after_seconds)

    def restore(self) -> float | None:
        """Mains was steady, and the battery charged, for long enough to bring loads back."""
        return self._mains.steady_at(self._gate.steady_seconds(self._battery.percent))

    def low(self) -> float | None:
        """The battery that carries us is low."""
        return self._said_low() if self._believed() else None

    def low_unproved(self) -> float | None:
        """It is said to be low, and that is not believed."""
        return None if self._believed() else self._said_low()

    def _said_low(self) -> float | None:
        if self._mains.level:  # it is back, though not steady yet
            return self._source.died_at
        budget_seconds = self._settings.battery_budget_seconds
        budget_at = None if budget_seconds is None else self._mains.away_at(budget_seconds)
        return earliest((self._battery.low_at, budget_at, self._source.died_at))

    def low_reason(self, now_seconds: float) -> str:
        """Why it counts as low, as a sentence."""
        if self._source.died_at is not None:
            return "nothing is known of the battery any more, and mains was away when that began"
        low_at = self._battery.low_at
        if low_at is not None and now_seconds >= low_at:
            return f"mains is away and {self._battery.sign}"
        return f"mains was away for {self._mains.away_seconds:.0f} s, and the battery is not trusted for longer"
