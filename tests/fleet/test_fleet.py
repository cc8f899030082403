"""The fleet benchmark, small: it runs, its appliances are let in, and each of their records is there once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_APPLIANCES = 5
_PACED_RECORDS, _UNPACED_RECORDS = 5 * 20, 4 * 25


def test_simulated_appliances_enrol_deliver_and_finish() -> None:
    command = [sys.executable, "-m", "benchmarks.fleet", "--appliances", str(_APPLIANCES), "--pause", "0.01"]
    done = subprocess.run(command, cwd=_ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(f"{_APPLIANCES} of {_APPLIANCES} finished") == 3
    assert f"{_APPLIANCES * (_PACED_RECORDS + _UNPACED_RECORDS)} records at the collector, each once" in done.stdout
