"""The rig's file: the example is right, and every mistake is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware.errors import ConfigurationError
from hil.rig import RigAbsent
from hil.rig_file import read_rig_file
from hil.rig_lock import rig_lock

EXAMPLE = Path(__file__).parents[2] / "hil" / "rig.example.yaml"

SMALL = """\
linekeeper:
  appliance: {command: linekeeper, reset: "true", supply: mains}
  lines:
    - {name: front, number: "8001", plug: usb, far_end: {modem: /dev/ttyACM0}}
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "rig.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_example_is_complete() -> None:
    rig_file = read_rig_file(EXAMPLE)
    assert [line.name for line in rig_file.lines] == ["front", "back"]
    assert rig_file.environment == EXAMPLE
    assert rig_file.appliance.ready_seconds == 180


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    path = write(tmp_path, SMALL)
    rig_file = read_rig_file(path)
    assert (rig_file.environment, rig_file.target) == (path, "main")
    assert rig_file.appliance.ready_seconds == 180
    assert (rig_file.lines[0].far_end.country, rig_file.lines[0].far_end.profile) == ("CN", "auto")


def test_every_mistake_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    text = """\
linekeeper:
  appliance: {comand: linekeeper, reset: "true", supply: mains, ready_seconds: soon}
  lines:
    - {name: front, number: 8001, plug: usb, far_end: nobody}
"""
    with pytest.raises(ConfigurationError) as caught:
        read_rig_file(write(tmp_path, text))
    told = [(problem.line, problem.text) for problem in caught.value.problems]
    assert (2, 'unknown key "comand" (did you mean "command"?)') in told
    assert (2, '"command" is missing') in told
    assert (2, "ready_seconds: a positive number of seconds is needed") in told
    assert (4, "number: text is needed; put numbers into quotes") in told
    assert (4, "a mapping is needed here") in told


@pytest.mark.parametrize("text", ["", "targets: {}", "linekeeper: yes", "- linekeeper"])
def test_file_without_our_section_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match='no section "linekeeper"'):
        read_rig_file(write(tmp_path, text))


def test_rig_without_lines_is_refused(tmp_path: Path) -> None:
    text = SMALL[: SMALL.index("  lines")]
    with pytest.raises(ConfigurationError, match="lines: a list with at least one entry"):
        read_rig_file(write(tmp_path, text))


def test_missing_file_is_a_mistake_and_no_reason_to_skip(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"rig\.yaml: cannot be read"):
        read_rig_file(tmp_path / "rig.yaml")


def test_two_runs_never_share_a_rig(tmp_path: Path) -> None:
    path = write(tmp_path, SMALL)
    with rig_lock(path), pytest.raises(RigAbsent, match="another run uses the rig"), rig_lock(path):
        pass
    with rig_lock(path):
        pass
