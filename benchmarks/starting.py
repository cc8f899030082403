"""P8: from the command to lines that can ring."""

from __future__ import annotations

import statistics

from benchmarks.figure import Figure
from benchmarks.setting import bench

_STARTS = 5
_LINES = 4
_SECONDS = 2.0


async def measure_start() -> list[Figure]:
    seconds: list[float] = []
    for _ in range(_STARTS):
        async with bench(_LINES) as setting:
            async with setting.appliance() as appliance:
                pass
            # The lines start beside each other: the slowest modem's own time is what has to be left out.
            seconds.append(appliance.ready_seconds - max(log.own_seconds() for log in setting.logs))
    median = statistics.median(seconds)
    told = f"median {median:.2f} s, max {max(seconds):.2f} s ({_STARTS} times, {_LINES} lines)"
    return [Figure("P8", "run -> ready, modem time excluded", told, "median <= 2 s", median <= _SECONDS)]
