"""The battery of a simulated UPS: charge by load and time. Pure; it is told how much time went by."""

from __future__ import annotations

from dataclasses import dataclass

_HOUR_SECONDS = 3600.0


@dataclass(slots=True)
class Battery:
    """Two hours at its load by default: what the requirements (C2) want of the reference battery."""

    percent: float
    watt_hours: float = 20.0
    load_watts: float = 10.0
    charge_watts: float = 10.0
    low_percent: float = 10.0

    @property
    def low(self) -> bool:
        """Whether it would warn."""
        return self.percent <= self.low_percent

    @property
    def runtime_seconds(self) -> float:
        """How long it carries its load from now."""
        return self.percent / 100 * self.watt_hours * _HOUR_SECONDS / self.load_watts

    def pass_time(self, seconds: float, flow_watts: float) -> None:
        """So long, that much went in (positive) or out (negative)."""
        percent = self.percent + 100 * flow_watts * seconds / (self.watt_hours * _HOUR_SECONDS)
        self.percent = min(100.0, max(0.0, percent))

    def seconds_until(self, percent: float) -> float:
        """How long its load takes it down to so much; 0 where it is there already."""
        return max(0.0, self.percent - percent) / 100 * self.watt_hours * _HOUR_SECONDS / self.load_watts
