"""What one run of the power service leaves to the next. Pure: `history_file.py` keeps it on the disk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

MOST_TIERS = 3
"""Shed in low battery."""
# More than this changes nothing any more: the gate has reached its longest time.
MOST_STARTS_COUNTED = 32


class Start(Enum):
    """How this run begins, as far as the last one tells."""

    ORDINARY = "ordinary"
    RESUMED = "resumed"  # the service was started again; the machine kept running
    EMPTY = "empty"  # the battery was empty, or nearly, when the machine went off


@dataclass(frozen=True, slots=True)
class PowerHistory:
    """State that must outlive the process. The defaults are those of an appliance that never ran."""

    boot_id: str = ""
    """The kernel's name for the boot in which this was written; "" where unknown."""
    ended_cleanly: bool = True
    """Whether the service ended on purpose; False while it runs."""
    tier: int = 0
    """How many tiers of loads were shed."""
    low_battery_shutdown: bool = False
    """The battery ran empty, or nearly, and the loads have not been restored since."""
    shutdown_reason: str = ""
    """Why this run decided to shut down; "" while it has not."""
    outage_began_seconds: float = 0.0
    """When the outage that goes on began, on the clock of this boot (CLOCK_MONOTONIC); 0 where there is none."""
    consecutive_outage_starts: int = 0
    """Starts from an empty battery, without an hour of steady mains between them."""

    def start_in(self, boot_id: str) -> Start:
        """What kind of start this is, in the boot named so."""
        shut_down = self.ended_cleanly and self.shutdown_reason
        if boot_id and boot_id == self.boot_id and not shut_down:
            return Start.RESUMED
        died_on_battery = not self.ended_cleanly and self.tier > 0
        return Start.EMPTY if self.low_battery_shutdown or died_on_battery else Start.ORDINARY

    def begun(self, boot_id: str, start: Start) -> PowerHistory:
        """The history of a run that begins now."""
        running = replace(self, boot_id=boot_id, ended_cleanly=False)
        if start is Start.RESUMED:
            return running
        running = replace(running, shutdown_reason="", outage_began_seconds=0.0)
        if start is Start.EMPTY:
            # A restart by hand while loads still wait for the charge is no further outage.
            another = bool(self.shutdown_reason) or not self.ended_cleanly
            starts = min(self.consecutive_outage_starts + another, MOST_STARTS_COUNTED)
            return replace(running, tier=2, low_battery_shutdown=True, consecutive_outage_starts=starts)
        return replace(running, tier=0)

    def ended(self) -> PowerHistory:
        """The service ends on purpose. Write this when it does."""
        return replace(self, ended_cleanly=True)
