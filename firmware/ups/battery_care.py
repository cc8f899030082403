"""What people should know of a battery while nothing has to be done: low with mains there, or worn out. Pure."""

from __future__ import annotations

from collections.abc import Callable

from firmware.ports import PowerReading
from firmware.ups.battery_sense import BatterySense
from firmware.ups.decisions import BatteryFine, BatteryWeak, Decision, RemindBattery
from firmware.ups.rules import Rule, latest

# A UPS that takes its demand back for less has not got a new battery.
_REPLACED_AFTER_SECONDS = 60.0


class BatteryCare:
    """Reminds, and takes it back; `mains_there` tells whether a low battery is news of this kind."""

    def __init__(
        self,
        battery: BatterySense,
        reminder_seconds: float,
        mains_there: Callable[[], bool],
        tell: Callable[[Decision], None],
    ) -> None:
        self._battery = battery
        self._reminder_seconds = reminder_seconds
        self._mains_there = mains_there
        self._tell = tell
        self._worn = False
        self._worn_since = 0.0
        self._reminded_at: float | None = None
        self._told_weak = False
        self._told_worn = False
        self.rules = (
            Rule(self._weak_at, self._weak),
            Rule(self._remind_at, self._remind),
            Rule(self._fine_at, self._fine),
        )

    def hear(self, reading: PowerReading, now_seconds: float) -> None:
        """A reading."""
        if reading.replace_battery != self._worn:
            self._worn, self._worn_since = reading.replace_battery, now_seconds

    @property
    def is_fine(self) -> bool:
        """Whether the battery gives no reason to tell anybody anything."""
        return self._battery.sign is None and not self._worn

    def _weak_at(self) -> float | None:
        return None if self._told_weak or not self._mains_there() else self._battery.low_at

    def _weak(self, now_seconds: float) -> None:
        del now_seconds
        self._told_weak = True
        self._tell(
            BatteryWeak(f"with mains there, {self._battery.sign}; an outage now would end the service within minutes")
        )

    def _remind_at(self) -> float | None:
        if not self._worn:
            return None
        return self._worn_since if self._reminded_at is None else self._reminded_at + self._reminder_seconds

    def _remind(self, now_seconds: float) -> None:
        self._reminded_at, self._told_worn = now_seconds, True
        self._tell(RemindBattery("the UPS says that its battery is worn out; replace it"))

    def _fine_at(self) -> float | None:
        if not (self._told_weak or self._told_worn):
            return None
        weak_over = None if self._battery.low_at is not None else 0.0
        worn_over = None if self._worn else (self._worn_since + _REPLACED_AFTER_SECONDS if self._told_worn else 0.0)
        return latest(weak_over, worn_over)

    def _fine(self, now_seconds: float) -> None:
        del now_seconds
        self._told_weak = self._told_worn = False
        self._reminded_at = None
        self._tell(BatteryFine())
