"""`linekeeper-collector` as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
_COMMAND = [sys.executable, "-c", "from collector.cli import main; main()"]


def command(*arguments: str, database: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*_COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False, env=_environment(database)
    )


def claim(database: str) -> str:
    """A one-time code."""
    told = command("claim", "front desk", "--company", "Acme", "--json", database=database)
    return str(json.loads(told.stdout)["code"])


@contextmanager
def served(database: str, blobs: str, listen: str, *more: str) -> Iterator[subprocess.Popen[str]]:
    """A copy that has said `ready`; it is told to stop at the end."""
    process = subprocess.Popen(
        [*_COMMAND, "serve", "--blobs", blobs, "--listen", listen, *more],
        stdout=subprocess.PIPE,
        text=True,
        env=_environment(database),
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


def _environment(database: str) -> dict[str, str]:
    return {**os.environ, "LINEKEEPER_COLLECTOR_DATABASE": database, "PYTHONPATH": str(ROOT)}
