"""One line of the table."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured beside its target, which names the statistic that is judged.

    `met` is None for what is told without a target; `notes` stand below the table.
    """

    id: str
    what: str
    measured: str
    target: str = ""
    met: bool | None = None
    notes: tuple[str, ...] = ()

    def cells(self) -> tuple[str, str, str, str, str]:
        verdict = "" if self.met is None else ("met" if self.met else "MISSED")
        return self.id, self.what, self.target, verdict, self.measured


def table(figures: Sequence[Figure]) -> str:
    """The figures as aligned text."""
    rows = [("#", "figure", "target", "", "measured"), *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    notes = [f"{figure.id}: {note}" for figure in figures for note in figure.notes]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def spread(seconds: Sequence[float]) -> str:
    """Median, 95th percentile and maximum."""
    told = {"median": statistics.median(seconds), "p95": percentile(seconds, 95), "max": max(seconds)}
    return f"{', '.join(f'{name} {milliseconds(value)}' for name, value in told.items())} ({len(seconds)} times)"


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * int(percent) // 100) - 1))]
