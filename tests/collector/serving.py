"""`linekeeper-collector` as a process of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from collector.cli import _run_guarded

ROOT = Path(__file__).parents[2]
_COMMAND = [sys.executable, "-c", "from collector.cli import main; main()"]


def command(*arguments: str, database: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in this process: a new one would spend its time on imports."""
    out, err = io.StringIO(), io.StringIO()
    argv = ["linekeeper-collector", *arguments]
    with (
        mock.patch.object(sys, "argv", argv),
        mock.patch.dict(os.environ, _environment(database)),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        ThreadPoolExecutor(1) as thread,  # it has no event loop yet
    ):
        status = thread.submit(_run_guarded).result()
    return subprocess.CompletedProcess(argv, status, out.getvalue(), err.getvalue())


def program(*arguments: str, database: str) -> subprocess.CompletedProcess[str]:
    """The same as a process of its own, for a command that takes signals."""
    return subprocess.run(
        [*_COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False, env=_environment(database)
    )


def claim(database: str) -> str:
    """A one-time code."""
    told = command("claim", "front desk", "--company", "Acme", "--json", database=database)
    return str(json.loads(told.stdout)["code"])


@contextmanager
def served(database: str, blobs: str, listen: str, *more: str) -> Iterator[subprocess.Popen[str]]:
    """A copy that has said `ready`; it is killed at the end."""
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
        process.kill()
        process.wait(30)
        process.stdout.close()


def _environment(database: str) -> dict[str, str]:
    return {**os.environ, "LINEKEEPER_COLLECTOR_DATABASE": database, "PYTHONPATH": str(ROOT)}
