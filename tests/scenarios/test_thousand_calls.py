"""Every kind of caller and trouble at once, on four lines, in fast time. `make soak` makes 1,000 calls of it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks.many_calls.run import run_calls
from benchmarks.quiet import journal_to

_CALLS = int(os.environ.get("LINEKEEPER_CALLS", "120"))
_SEED = int(os.environ.get("LINEKEEPER_SEED", "1"))


@pytest.mark.timeout(60 + _CALLS)
def test_whatever_callers_and_modems_do_nothing_acknowledged_is_lost_and_every_line_recovers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with journal_to(tmp_path / "journal.txt"):
        report = run_calls(_CALLS, tmp_path, _SEED)
    with capsys.disabled():
        sys.stdout.write(f"\n{report}\n")
    assert report.findings == []
    assert report.tally["messages"] > _CALLS // 5, "too few messages to prove anything"
