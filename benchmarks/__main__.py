"""`python -m benchmarks [P1 P3 ...]` prints the figures beside their targets; exit status 1 when one is missed."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks.answering import measure_answering, measure_lead
from benchmarks.barge_in import measure_barge_in
from benchmarks.fast_calls import measure_fast_calls
from benchmarks.figure import Figure, table
from benchmarks.load import measure_cpu, measure_lines
from benchmarks.quiet import journal_to
from benchmarks.starting import measure_start

Measurement = Callable[[], Awaitable[list[Figure]]]

MEASUREMENTS: dict[tuple[str, ...], Measurement] = {
    ("P1", "P2"): measure_answering,
    ("P3",): measure_barge_in,
    ("P4",): measure_lead,
    ("P5",): measure_cpu,
    ("P6",): measure_lines,
    ("P8",): measure_start,
    ("P9",): measure_fast_calls,
}


def main(wanted: list[str]) -> int:
    known = {name for names in MEASUREMENTS for name in names}
    wanted = [name.upper() for name in wanted]
    if unknown := sorted(set(wanted) - known):
        print(f"no figure is called {', '.join(unknown)}; there are {', '.join(sorted(known))}", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    for names, measure in MEASUREMENTS.items():
        if not wanted or set(names) & set(wanted):
            print(f"measuring {' and '.join(names)} ...", file=sys.stderr, flush=True)
            figures += asyncio.run(_measured(measure))
    print(table(figures))
    return 1 if any(figure.met is False for figure in figures) else 0


async def _measured(measure: Measurement) -> list[Figure]:
    return await measure()


if __name__ == "__main__":
    with journal_to(Path(os.devnull)):
        sys.exit(main(sys.argv[1:]))
