"""What understanding speech costs: processor time and memory of all the appliance's processes, one line and four."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.appliance import Appliance
from benchmarks.figure import Figure
from benchmarks.memory import pss_megabytes
from benchmarks.setting import Setting, bench

_LINES = (1, 4)
_WITH = "speech: {engine: pocketsphinx, transcripts: false}\n"
_WAITS = "languages: [en]\ncalls: {no_input_seconds: 30}\n"
_PROMPT_SECONDS = 9.0
_MEASURED_SECONDS = 12.0
_LOADING_SECONDS = 4.0
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_QUESTION = """\
name: question
start: question
steps:
  question:
    kind: menu
    prompt: callback_confirm
    keys: {"1": end, "2": end}
    say: {"1": yes, "2": no}
    way_out: end
  end: {kind: hang_up, prompt: goodbye}
"""


async def measure_speech_cost() -> list[Figure]:
    """Callers on every line are asked something and say nothing: with speech, the recogniser listens all the while."""
    return [await _cost(lines, more) for lines in _LINES for more in ("", _WITH)]


async def _cost(lines: int, more: str) -> Figure:
    async with bench(lines, watched=False) as setting:
        (setting.folder / "question.yaml").write_text(_QUESTION, encoding="utf-8")
        flow = f"flow: {setting.folder / 'question.yaml'}\n"
        async with setting.appliance(flow + _WAITS + more) as appliance:
            await asyncio.sleep(_LOADING_SECONDS)  # the worker tells nobody outside when its model is loaded
            share, memory = await _asked(setting, appliance)
    told = f"{share:.1%} of a core while everybody is asked, {' + '.join(f'{part:.0f}' for part in memory)} MB"
    what = "with speech" if more else "keys alone"
    return Figure("SPEECH-COST", f"{lines} line{'s' if lines > 1 else ''}, {what} (PSS: calls + worker)", told)


async def _asked(setting: Setting, appliance: Appliance) -> tuple[float, list[float]]:
    calls = [await setting.call(line, f"1380013800{at}") for at, line in enumerate(setting.lines)]
    await asyncio.sleep(_PROMPT_SECONDS)
    began_at, used = time.perf_counter(), _cpu_seconds(appliance.pid)
    await asyncio.sleep(_MEASURED_SECONDS)
    share = (_cpu_seconds(appliance.pid) - used) / (time.perf_counter() - began_at)
    memory = [pss_megabytes(process) for process in _family(appliance.pid)]
    await asyncio.gather(*(setting.end(call, line) for call, line in zip(calls, setting.lines, strict=True)))
    return share, memory


def _family(process: int) -> Iterator[int]:
    """A process and its children."""
    yield process
    for task in Path(f"/proc/{process}/task").iterdir():
        yield from map(int, (task / "children").read_text(encoding="ascii").split())


def _cpu_seconds(process: int) -> float:
    stats = [
        Path(f"/proc/{one}/stat").read_text(encoding="ascii").rpartition(")")[2].split() for one in _family(process)
    ]
    return sum(int(fields[11]) + int(fields[12]) for fields in stats) / _TICKS_PER_SECOND
