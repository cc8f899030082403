"""P9: a thousand mixed calls in fast time."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from benchmarks.figure import Figure
from benchmarks.many_calls.run import run_calls

_CALLS = 1000
_SECONDS = 120.0


async def measure_fast_calls() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="linekeeper-bench-") as folder:
        # A loop of its own, in a thread of its own: this one is real time's.
        report = await asyncio.to_thread(run_calls, _CALLS, Path(folder))
    for finding in report.findings:
        print(finding, file=sys.stderr)
    told = f"{report.wall_seconds:.0f} s ({len(report.findings)} findings)"
    good = report.wall_seconds <= _SECONDS and not report.findings
    return [Figure("P9", f"{_CALLS} mixed calls with faults in fast time", told, "<= 120 s", good)]
