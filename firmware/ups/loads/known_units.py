"""Whether systemd knows the units that loads name. Blocking for some milliseconds."""

from __future__ import annotations

import subprocess

from firmware.errors import Problem
from firmware.power_settings import PowerSettings

_LONGEST_RUN_SECONDS = 5.0


def unit_problems(settings: PowerSettings, program: str = "systemctl") -> list[Problem]:
    """Units that are not there. None are told where no systemd can be asked, as on a desk or in a container."""
    return [
        Problem(
            "configuration",
            0,
            f"power: the load {load.name} names {load.unit}, which systemd does not know; "
            "`systemctl list-unit-files` tells those it does",
        )
        for load in settings.loads
        if load.unit is not None and _is_missing(load.unit, program)
    ]


def _is_missing(unit: str, program: str) -> bool:
    command = [program, "show", "--property=LoadState", "--value", "--", unit]
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_LONGEST_RUN_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and answer.stdout.strip() == "not-found"
