"""What systemd says of units. The only place that asks it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

# systemd makes it first of all: sd_booted(3).
_BOOTED = Path("/run/systemd/system")
_ANSWER_SECONDS = 5.0


def systemd_runs() -> bool:
    """Whether systemd is process 1 here."""
    return _BOOTED.is_dir()


def show_unit(unit: str, *properties: str) -> Mapping[str, str]:
    """Properties of a unit; empty where systemd does not answer."""
    command = ["systemctl", "show", unit, *(f"--property={name}" for name in properties)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_ANSWER_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
