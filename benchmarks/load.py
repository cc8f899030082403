"""P5, P6: what a talking line costs, and how many lines two cores carry."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.appliance import Appliance
from benchmarks.figure import Figure, milliseconds
from benchmarks.many_calls.speech import unique_speech
from benchmarks.setting import Setting, bench
from firmware.simulation.call import Call

_CPU_LINES = 8
_CPU_SECONDS = 15.0
_IDLE_SECONDS = 5.0
_CPU_SHARE = 0.003
_LINES_WANTED = 64
_LINE_COUNTS = (_LINES_WANTED, 128)
_LIMIT_COUNTS = (256, 384, 512, 640, 768, 896, 1024)
_TALK_SECONDS = 15.0
_RINGING_APART_SECONDS = 0.05
_LAG_LOOK_SECONDS = 0.01
_SAYS = 12


def talking_flow(folder: Path) -> str:
    """A configuration line for a flow that talks on and on; returns what to add to the configuration."""
    path = folder / "talking.yaml"
    steps = "".join(f"  say{at}: {{kind: say, prompt: message_intro, next: say{at + 1}}}\n" for at in range(_SAYS))
    end = f"  say{_SAYS}: {{kind: hang_up, prompt: goodbye}}\n"
    path.write_text(f"name: talking\nstart: say0\nsteps:\n{steps}{end}", encoding="utf-8")
    return f"flow: {path}\n"


async def measure_cpu() -> list[Figure]:
    """P5."""
    return [
        await _cpu_figure("talking", talks=True),
        await _cpu_figure("recording", talks=False),
    ]


async def _cpu_figure(what: str, *, talks: bool) -> Figure:
    async with (
        bench(_CPU_LINES, watched=False) as setting,
        setting.appliance(talking_flow(setting.folder) if talks else "") as appliance,
    ):
        idle = await _cpu_per_second(appliance, _IDLE_SECONDS)
        calls = await asyncio.gather(*(_call_later(setting, at) for at in range(_CPU_LINES)))
        speaking = [] if talks else await _begin_to_speak(calls)
        busy = await _cpu_per_second(appliance, _CPU_SECONDS)
        for task in speaking:
            task.cancel()
        await asyncio.gather(*_hang_up(setting, calls), *speaking, return_exceptions=True)
    share = (busy - idle) / _CPU_LINES
    told = f"mean {share:.2%} of a core (idle {idle:.2%}, {_CPU_LINES} lines {busy:.2%})"
    return Figure("P5", f"CPU per {what} line", told, "mean <= 0.30%", share <= _CPU_SHARE)


async def _cpu_per_second(appliance: Appliance, seconds: float) -> float:
    began, used = time.perf_counter(), appliance.cpu_seconds()
    await asyncio.sleep(seconds)
    return (appliance.cpu_seconds() - used) / (time.perf_counter() - began)


async def _begin_to_speak(calls: Sequence[Call]) -> list[asyncio.Task[None]]:
    """Everybody to the message, then everybody speaks on and on."""
    speech = unique_speech(10.0, random.Random(5))
    await asyncio.gather(*(_to_message(call) for call in calls))
    tasks = [asyncio.create_task(_speak_on(call, speech)) for call in calls]
    await asyncio.sleep(1.0)
    return tasks


async def _to_message(call: Call) -> None:
    await call.heard_speech()
    await call.keys("11", 0.08, 0.4)
    await call.key("1", 0.08)  # cuts the introduction short
    await call.heard_beep()


async def _speak_on(call: Call, speech: bytes) -> None:
    while not call.over:
        await call.speak(speech)


def _hang_up(setting: Setting, calls: Sequence[Call]) -> list[asyncio.Task[None]]:
    pairs = zip(calls, setting.lines, strict=True)
    return [asyncio.create_task(setting.end(call, line)) for call, line in pairs]


async def measure_lines() -> list[Figure]:
    """P6."""
    most, notes = await _most_lines(_LINE_COUNTS)
    met = most >= _LINES_WANTED
    told = _or_more(most, _LINE_COUNTS)
    return [Figure("P6", "lines talking at once, no underrun", told, f">= {_LINES_WANTED}", met, notes)]


async def measure_lines_limit() -> list[Figure]:
    """How far P6 goes on this machine, which carries the bench as well."""
    most, notes = await _most_lines(_LIMIT_COUNTS)
    return [Figure("P6", "lines talking at once, no underrun: limit", _or_more(most, _LIMIT_COUNTS), notes=notes)]


def _or_more(most: int, counts: Sequence[int]) -> str:
    return f"{most}, more not tried" if most == counts[-1] else str(most)


async def _most_lines(counts: Sequence[int]) -> tuple[int, tuple[str, ...]]:
    """More and more lines until one runs dry. The bench's own lag is told: a late bench looks like a dry line."""
    most = 0
    notes: list[str] = []
    for count in counts:
        underruns, talking, lag_seconds = await _talk(count)
        notes.append(f"{count} lines: {underruns} underruns, {talking} talked, bench late {milliseconds(lag_seconds)}")
        if underruns or talking < count:
            break
        most = count
    return most, tuple(notes)


async def _talk(count: int) -> tuple[int, int, float]:
    """Underruns, lines that really talked to the end, and how late the bench's own loop was at worst."""
    async with (
        bench(count, watched=False) as setting,
        setting.appliance(talking_flow(setting.folder)),
    ):
        calls = await asyncio.gather(*(_call_later(setting, at) for at in range(count)))
        meter = _LagMeter()
        measuring = asyncio.create_task(meter.run())
        before = setting.underruns()
        await asyncio.sleep(_TALK_SECONDS)
        underruns = setting.underruns() - before
        talking = sum(call.is_connected for call in calls)
        measuring.cancel()
        for call in calls:
            call.hang_up()
    return underruns, talking, meter.worst_seconds


class _LagMeter:
    """How late the event loop is at worst."""

    def __init__(self) -> None:
        self.worst_seconds = 0.0

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _LAG_LOOK_SECONDS
            await asyncio.sleep(_LAG_LOOK_SECONDS)
            self.worst_seconds = max(self.worst_seconds, loop.time() - due)


async def _call_later(setting: Setting, at: int) -> Call:
    await asyncio.sleep(at * _RINGING_APART_SECONDS)
    return await setting.call(setting.lines[at], f"139000000{at:02d}")
