"""What the status page tells. None stands for what nobody can tell now."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class LineFact:
    """One line: its name, its state (a word of `events.LineState`), and what is wrong with it."""

    name: str
    state: str
    fault: str | None


@dataclass(frozen=True, slots=True)
class PowerFact:
    """State (a word of `events.PowerState`), how many tiers of loads are shed, and whether the UPS was proved."""

    state: str
    tier: int | None = None
    battery_percent: float | None = None
    proved: bool | None = None


@dataclass(frozen=True, slots=True)
class DeliveryFact:
    """How many records wait to be delivered, for how long, and how many were set aside for a person."""

    queued: int | None = None
    oldest_seconds: float | None = None
    set_aside: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """The appliance at one moment."""

    version: str
    lines: tuple[LineFact, ...]
    power: PowerFact
    free_megabytes: int | None
    voice_room: bool | None
    """Whether the disk has room for what callers say."""
    open_incidents: int | None
    delivery: DeliveryFact | None = None
    """None where nothing is to be delivered."""

    @property
    def well(self) -> bool:
        """Whether nothing needs a person."""
        lines_well = all(line.fault is None for line in self.lines)
        delivery_well = self.delivery is None or not self.delivery.set_aside
        return lines_well and delivery_well and self.voice_room is not False and not self.open_incidents

    def to_json(self) -> dict[str, Any]:
        """For monitoring."""
        return {"well": self.well, **asdict(self)}
