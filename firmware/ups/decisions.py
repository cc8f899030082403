"""What the power policy decides; whoever runs it carries the decisions out, in the order given."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Decision:
    """Base of all decisions."""


@dataclass(frozen=True, slots=True)
class MainsLost(Decision):
    """An outage begins, or goes on after a short return of mains; `reason` is a sentence for people."""

    reason: str


@dataclass(frozen=True, slots=True)
class MainsBack(Decision):
    """Mains is steady again; it was away for `outage_seconds`, from the loss to the return.

    None where it went away in an earlier run.
    """

    outage_seconds: float | None


@dataclass(frozen=True, slots=True)
class ShedTo(Decision):
    """Loads of this tier and below go off at once; 3, low battery, means all of them."""

    tier: int


@dataclass(frozen=True, slots=True)
class RestoreLoads(Decision):
    """Every load comes back, one by one."""


@dataclass(frozen=True, slots=True)
class BatteryLow(Decision):
    """On battery, and it is nearly empty: callers are told and released now. A shutdown follows soon."""

    reason: str


@dataclass(frozen=True, slots=True)
class LowUnproved(Decision):
    """The battery counts as low, by a UPS that no pull-the-plug test ever proved: nothing is shut down for its word."""

    sentence: str


@dataclass(frozen=True, slots=True)
class BatteryLowOver(Decision):
    """Mains is steady again before the shutdown was decided: calls are taken again. MainsBack follows."""


@dataclass(frozen=True, slots=True)
class ShutDown(Decision):
    """Nothing undoes this any more, mains neither: finish recordings, close the database, take no calls."""

    reason: str


@dataclass(frozen=True, slots=True)
class PowerOff(Decision):
    """Tell the UPS to cut its output, then switch off.

    With `mains_there`, a UPS that cannot be told to cut would never give us power anew: start anew instead of switching
    off (NUT calls this the power race).
    """

    mains_there: bool


@dataclass(frozen=True, slots=True)
class Reboot(Decision):
    """Still running long after PowerOff, with mains there: start anew, as the UPS never cut."""

    reason: str


@dataclass(frozen=True, slots=True)
class BootGate(Decision):
    """We start after the battery ran empty: loads stay off until it holds enough. Calls are answered."""

    sentence: str


@dataclass(frozen=True, slots=True)
class BatteryWeak(Decision):
    """With mains there the battery is low: no shutdown, but people should know."""

    sentence: str


@dataclass(frozen=True, slots=True)
class RemindBattery(Decision):
    """The UPS wants a new battery; told again after a while."""

    sentence: str


@dataclass(frozen=True, slots=True)
class BatteryFine(Decision):
    """Neither BatteryWeak nor RemindBattery is true any more."""


@dataclass(frozen=True, slots=True)
class SourceSilent(Decision):
    """What watches the power tells nothing any more."""

    sentence: str


@dataclass(frozen=True, slots=True)
class SourceBack(Decision):
    """It tells something again."""
