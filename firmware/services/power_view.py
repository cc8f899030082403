"""`power status`, in the field names that monitoring relies on (design, Fixed points)."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from firmware.ups.load_keeper import LoadKeeper
from firmware.ups.policy import PowerPolicy


def power_status(
    policy: PowerPolicy, loads: LoadKeeper, profile: str, now: Callable[[], datetime], zone: ZoneInfo, *, proved: bool
) -> dict[str, Any]:
    """Mains, battery and loads as they are now."""
    now_seconds = asyncio.get_running_loop().time()
    since = now() - timedelta(seconds=now_seconds - policy.since_seconds)
    return {
        "state": policy.state.value,
        "since": since.astimezone(zone).isoformat(timespec="seconds"),
        "tier": policy.tier,
        "proved": proved,
        "battery_percent": policy.battery_percent,
        "mains": policy.mains,
        "reason": policy.reason if profile != "none" else "no UPS is configured; mains and battery are not watched",
        "profile": profile,
        "on_battery_seconds": round(policy.on_battery_seconds, 1),
        "loads": [dataclasses.asdict(load) for load in loads.told],
    }
