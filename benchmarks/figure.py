"""One line of the table."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured beside its target; `met` is None for what is told without a target."""

    id: str
    what: str
    measured: str
    target: str = ""
    met: bool | None = None

    def cells(self) -> tuple[str, str, str, str, str]:
        verdict = "" if self.met is None else ("met" if self.met else "MISSED")
        return self.id, self.what, self.measured, self.target, verdict


def table(figures: Sequence[Figure]) -> str:
    """The figures as aligned text."""
    rows = [("#", "figure", "measured", "target", ""), *(figure.cells() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def median_and_max(seconds: Sequence[float]) -> str:
    return f"median {milliseconds(statistics.median(seconds))}, max {milliseconds(max(seconds))} ({len(seconds)} times)"


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * int(percent) // 100) - 1))]
