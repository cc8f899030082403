"""What NUT's variables mean for us. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping

from firmware.ports import PowerReading


def reading_from(variables: Mapping[str, str]) -> PowerReading:
    """`ups.status` holds words (NUT developer guide, "Status data"): OL, OB, LB, RB, FSD and more.

    FSD, a shutdown that another machine on this UPS has decided on, is as good as a low battery. A UPS that is OFF or
    still says nothing leaves mains unknown.
    """
    flags = set(variables.get("ups.status", "").upper().split())
    mains = True if "OL" in flags else False if "OB" in flags else None
    return PowerReading(
        mains=mains,
        battery_low=bool(flags & {"LB", "FSD"}) if flags else None,
        battery_percent=_number(variables.get("battery.charge"), 100.0),
        runtime_seconds=_number(variables.get("battery.runtime"), math.inf),
        replace_battery="RB" in flags,
    )


def _number(text: str | None, most: float) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and 0 <= value <= most else None
