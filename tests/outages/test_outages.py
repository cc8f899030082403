"""Delivery over a network that breaks, small: real namespaces, PostgreSQL, two collector copies and a real appliance.

`make outages` does the same with 100,000 records, 500 recordings and 50 breaks, for blobs in a folder and in S3.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BREAKS = 7
_ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def namespaces() -> None:
    if os.geteuid() != 0 or not shutil.which("nft"):
        pytest.skip("THE OUTAGES DID NOT HAPPEN: only root may make network namespaces, and nftables must be there")


def deliver(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "outages", *arguments, "--blobs", "folder", "--json"]
    done = subprocess.run(command, cwd=_ROOT, check=False, capture_output=True, text=True)
    assert done.stdout, done.stderr
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def test_everything_arrives_once_over_a_network_that_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    figures = deliver(
        "--records", "700", "--recordings", "8", "--breaks", str(BREAKS), "--lasting", "0.3", "--pause", "0.2"
    )
    with capsys.disabled():
        told = {name: figures[name] for name in ("records", "recordings", "breaks", "outcomes", "seconds")}
        sys.stdout.write(f"\n{told}\n")
    assert figures["violations"] == []
    assert sum(figures["breaks"].values()) == BREAKS
    assert len(figures["breaks"]) == BREAKS, "each kind once"
    assert figures["outcomes"]["stored"] >= figures["records"]
