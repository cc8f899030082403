"""P3: how fast a key silences a prompt while every line talks."""

from __future__ import annotations

import asyncio
import random
import statistics

from benchmarks.figure import Figure, milliseconds, percentile
from benchmarks.setting import Setting, bench
from firmware.simulation.call import Call

_LINES = 8
_KEYS_EACH = 27
_MEDIAN_SECONDS = 0.005
_P99_SECONDS = 0.030
# The main menu, which 9 repeats, is longer than this in either language.
_SHORTEST_WAIT, _LONGEST_WAIT = 0.7, 1.6


async def measure_barge_in() -> list[Figure]:
    async with bench(_LINES) as setting, setting.appliance():
        await asyncio.gather(*(_press(setting, at) for at in range(_LINES)))
        delays = [delay for log in setting.logs for delay in log.barge_in_delays()]
    median, p99 = statistics.median(delays), percentile(delays, 99)
    told = {"median": median, "p99": p99, "max": max(delays)}
    return [
        Figure(
            "P3",
            f"digit event -> <DLE><CAN>, {_LINES} lines talking",
            f"{', '.join(f'{name} {milliseconds(value)}' for name, value in told.items())} ({len(delays)} digits)",
            "median <= 5 ms, p99 <= 30 ms",
            median <= _MEDIAN_SECONDS and p99 <= _P99_SECONDS,
        )
    ]


async def _press(setting: Setting, at: int) -> None:
    chance = random.Random(at)
    line = setting.lines[at]
    call = await setting.call(line, f"1390000000{at}")
    await _into_the_menu(call)
    setting.logs[at].forget()
    for _ in range(_KEYS_EACH):
        await call.wait(chance.uniform(_SHORTEST_WAIT, _LONGEST_WAIT))
        await call.key("9", 0.08)
    await setting.end(call, line)


async def _into_the_menu(call: Call) -> None:
    await call.heard_speech()
    await call.wait(0.5)
    await call.key("1")
    await call.wait(1.0)
