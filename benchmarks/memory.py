"""Memory of a process."""

from __future__ import annotations

from pathlib import Path


def pss_megabytes(process: int) -> float:
    """Its proportional share: what it alone uses, and its part of what is shared."""
    rollup = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / 1000
