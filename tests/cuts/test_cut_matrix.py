"""The store's work cut short at hundreds of points, by power cuts on a real ext4 and by `kill -9`.

`make cuts POINTS=2000` does the same at more points. It needs root and loop devices.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cuts.cut import Kind
from cuts.matrix import plan

POINTS = 240
BROKEN_POINTS = 90
_ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def mounts() -> None:
    if os.geteuid() != 0 or not Path("/dev/loop-control").exists():
        pytest.skip("THE CUT MATRIX DID NOT RUN: only root on a machine with loop devices may mount its file systems")


def cut(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "cuts", *arguments, "--json"]
    done = subprocess.run(command, cwd=_ROOT, check=False, capture_output=True, text=True)
    assert done.stdout, done.stderr
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def test_no_cut_loses_what_was_acknowledged(capsys: pytest.CaptureFixture[str]) -> None:
    figures = cut(str(POINTS))
    with capsys.disabled():
        sys.stdout.write(f"\n{figures['points']} cut points, {figures['violations']} violations\n")
    assert figures["found"] == []
    assert figures["points"] == POINTS
    assert min(figures["kinds"].values()) >= POINTS // 8
    assert {
        "messages",
        "callbacks",
        "backup",
        "restore",
        "erasure",
        "damage",
        "incidents",
        "restore_after_erasure",
        "delivery",
        "erasure_delivered",
    } <= figures["calls"].keys()


def test_a_careless_store_is_found_out() -> None:
    figures = cut(str(BROKEN_POINTS), "--broken")
    for carelessness in ("no_commit_sync", "no_file_sync", "no_folder_sync"):
        assert any(violation.startswith(carelessness) for violation in figures["found"]), carelessness


def test_every_work_is_cut_over_its_whole_range() -> None:
    small, large = plan([9, 500], 200)
    assert len(small) == 5 * 10
    assert len(large) == 150
    for kind in Kind:
        points = [point for each, point in large if each is kind]
        assert len(points) == 30
        assert (min(points) < 20, max(points) > 480) == (True, True)
    assert set(small) == {(kind, point) for kind in Kind for point in range(1, 11)}
