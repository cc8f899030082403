"""`python -m benchmarks [P1 P3 ...]` prints the figures beside their targets."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from benchmarks.answering import measure_answering, measure_lead
from benchmarks.barge_in import measure_barge_in
from benchmarks.delivery.measure import measure_delivery
from benchmarks.fast_calls import measure_fast_calls
from benchmarks.figure import Figure, table
from benchmarks.load import measure_cpu, measure_lines, measure_lines_limit
from benchmarks.quiet import journal_to
from benchmarks.resident import measure_idle, measure_memory
from benchmarks.speech import measure_speech
from benchmarks.speech_cost import measure_speech_cost
from benchmarks.starting import measure_start

Measurement = Callable[[], Awaitable[list[Figure]]]

MEASUREMENTS: dict[tuple[str, ...], Measurement] = {
    ("P1", "P2"): measure_answering,
    ("P3",): measure_barge_in,
    ("P4",): measure_lead,
    ("P5",): measure_cpu,
    ("P6",): measure_lines,
    ("P7",): measure_memory,
    ("P8",): measure_start,
    ("P9",): measure_fast_calls,
    ("P10",): measure_delivery,
    ("IDLE",): measure_idle,
    ("SPEECH",): measure_speech,
    ("SPEECH-COST",): measure_speech_cost,
}
ON_REQUEST: dict[tuple[str, ...], Measurement] = {("P6-LIMIT",): measure_lines_limit}
"""Takes long, and has no target of its own."""


def main(arguments: Sequence[str]) -> int:
    known = sorted(name for names in MEASUREMENTS | ON_REQUEST for name in names)
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures the figures of the design on simulated modems and prints them beside their targets.",
        epilog="Exit status: 0 when every figure is met, 1 when one is missed (the table says MISSED), 2 for a wrong "
        "name. All together take about ten minutes; figures mean something on a machine that does nothing else.",
    )
    parser.add_argument(
        "figures", nargs="*", metavar="FIGURE", type=str.upper, help=f"{', '.join(known)}; all but P6-LIMIT by default"
    )
    wanted = set(parser.parse_args(arguments).figures)
    if unknown := sorted(wanted - set(known)):
        parser.error(f"no figure is called {', '.join(unknown)}; there are {', '.join(known)}")
    figures: list[Figure] = []
    for names, measure in (MEASUREMENTS | ON_REQUEST if wanted else MEASUREMENTS).items():
        if not wanted or wanted & set(names):
            print(f"measuring {' and '.join(names)} ...", file=sys.stderr, flush=True)
            figures += asyncio.run(_measured(measure))
    print(table(figures))
    return 1 if any(figure.met is False for figure in figures) else 0


async def _measured(measure: Measurement) -> list[Figure]:
    return await measure()


if __name__ == "__main__":
    with journal_to(Path(os.devnull)):
        sys.exit(main(sys.argv[1:]))
