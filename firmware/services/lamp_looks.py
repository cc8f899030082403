"""What the four lamps of the appliance show. Pure; the table in docs/power.md says the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firmware.events import PowerState
from firmware.ports import Look

LINE, MESSAGE, POWER, FAULT = "line", "message", "power", "fault"

_POWER_LOOKS: Mapping[PowerState, Look] = {
    PowerState.UNKNOWN: Look.OFF,
    PowerState.ON_MAINS: Look.ON,
    PowerState.RECOVERING: Look.ON,
    PowerState.ON_BATTERY: Look.SLOW,
    PowerState.LOW_BATTERY: Look.FAST,
    PowerState.SHUTTING_DOWN: Look.FAST,
}


def looks(power: PowerState, calls: Mapping[str, Any] | None, *, trouble: bool) -> dict[str, Look]:
    """Each lamp's look.

    `calls` is the status of the calls service, None where it does not answer; `trouble` is a fault of power, of a load
    or of the surroundings.
    """
    return {
        LINE: _line(calls),
        MESSAGE: Look.SLOW if calls and calls.get("waiting_messages") else Look.OFF,
        POWER: _POWER_LOOKS[power],
        FAULT: Look.ON if trouble or calls is None or calls.get("faults") else Look.OFF,
    }


def _line(calls: Mapping[str, Any] | None) -> Look:
    if calls is None or calls.get("faults"):
        return Look.FAST
    return Look.SLOW if calls.get("in_call") else Look.ON
