"""The demonstration and the terminal phone, as a newcomer meets them: real ptys, real time."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def folder() -> Iterator[Path]:
    """A temporary folder of its own, so that a demonstration of somebody else is left alone; short, for sockets."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture
def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}


def test_demonstration_places_a_call_that_leaves_a_message_and_delivers_it(
    environment: dict[str, str], folder: Path
) -> None:
    command = [sys.executable, "-m", "firmware.cli", "demo", "--once", "--deliver"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told = done.stdout
    assert "NMBR = 13800138000" in told
    assert "<DLE>CAN" in told, "a key pressed in the middle of a prompt stops it"
    assert told.index("message 1 is committed") < told.index("Your message is saved")
    assert told.index("message 1 is committed") < told.index("the far end is away: ") < told.index("it is back")
    assert "and 1 recording delivered" in told
    assert "Message 1 from 13800138000" in told
    assert list(folder.glob("linekeeper-demo-*")) == []
    assert done.stderr == ""


def test_an_earlier_demonstration_changes_nothing(environment: dict[str, str]) -> None:
    phone = [sys.executable, "-m", "firmware.cli", "phone"]
    # This caller chooses English and leaves a message, which the demonstration must not take for its own.
    subprocess.run(phone, env=environment, input="21#", capture_output=True, text=True, timeout=120, check=True)
    command = [sys.executable, "-m", "firmware.cli", "demo", "--once"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "For English, press 2." in done.stdout
    assert "Message 1 from 13800138000" in done.stdout


def test_phone_calls_without_a_running_demonstration(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "firmware.cli", "phone", "--number", "02112345678"]
    done = subprocess.run(
        command, env=environment, input="2211#\n", capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "line1 rings: 02112345678" in done.stdout
    assert "callback request 1 is committed" in done.stdout
    assert "on hook: completed" in done.stdout
