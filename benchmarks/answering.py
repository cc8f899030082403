"""P1, P2, P4: how fast a call is answered, and how far ahead of the line its prompts are sent."""

from __future__ import annotations

import asyncio
import statistics
from dataclasses import replace

from benchmarks.bench_lines import prompt_profile
from benchmarks.figure import Figure, milliseconds, spread
from benchmarks.setting import Setting, bench
from firmware.units import SAMPLE_RATE_HZ

_LINES = 4
_CALLS_EACH = 6
# The lines ring one after another: a measurement of one call at a time.
_APART_SECONDS = 1.7
_FIRST_COMMAND_SECONDS = 0.005
_FIRST_SAMPLE_SECONDS = 0.020
_AHEAD_SECONDS = 0.250
# So large that it never holds anything back: what is ahead is then the appliance's own doing.
_LARGE_BUFFER_BYTES = 1 << 20
_LISTEN_SECONDS = 15.0


async def measure_answering() -> list[Figure]:
    """P1 and P2."""
    commands: list[float] = []
    line_taken: list[float] = []
    samples: list[float] = []

    async def calls(setting: Setting, at: int) -> None:
        await asyncio.sleep(at * _APART_SECONDS)
        line, log = setting.lines[at], setting.logs[at]
        for _ in range(_CALLS_EACH):
            log.forget()
            call = await setting.call(line)
            await call.heard_speech()
            delays, sample = log.off_hook_delays(), log.prompt_delay()
            if delays is None or sample is None:
                raise RuntimeError(f"a call on {line.name} was not answered as expected: {log.pieces}")
            commands.append(delays[0])
            line_taken.append(delays[1])
            samples.append(sample)
            await setting.end(call, line)

    async with bench(_LINES) as setting, setting.appliance():
        await asyncio.gather(*(calls(setting, at) for at in range(_LINES)))
    return [
        _figure("P1", "caller ID complete -> first off-hook command", commands, _FIRST_COMMAND_SECONDS),
        _figure("P1", "caller ID complete -> AT+VLS=1", line_taken, _FIRST_COMMAND_SECONDS),
        _figure("P2", "off-hook OK -> first prompt byte", samples, _FIRST_SAMPLE_SECONDS),
    ]


async def measure_lead() -> list[Figure]:
    """P4."""
    async with bench(1, replace(prompt_profile(), buffer_bytes=_LARGE_BUFFER_BYTES)) as setting, setting.appliance():
        call = await setting.call(setting.lines[0])
        await call.wait(_LISTEN_SECONDS)
        most = setting.logs[0].most_ahead_seconds(SAMPLE_RATE_HZ)
        await setting.end(call, setting.lines[0])
    ok = 0 < most <= _AHEAD_SECONDS
    return [Figure("P4", "audio sent ahead of the line", f"max {milliseconds(most)}", "max <= 250 ms", ok)]


def _figure(id: str, what: str, seconds: list[float], target_seconds: float) -> Figure:  # noqa: A002
    met = statistics.median(seconds) <= target_seconds
    return Figure(id, what, spread(seconds), f"median <= {target_seconds * 1000:.0f} ms", met)
