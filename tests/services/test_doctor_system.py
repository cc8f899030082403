"""What the doctor says of units, folders and backups: a sentence each, with what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from firmware.services.doctor_system import examine_system, unit_finding
from firmware.settings import parse_settings

_WELL = {
    "LoadState": "loaded", "ActiveState": "active", "UnitFileState": "enabled", "NRestarts": "0", "Result": "success",
    "WatchdogUSec": "3s", "StatusText": "2 of 2 lines in service",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "good", "words"),
    [
        ({}, True, "2 of 2 lines in service"),
        ({"NRestarts": "4"}, True, "started again 4 times"),
        ({"LoadState": "not-found"}, False, "make install"),
        ({"ActiveState": "failed", "Result": "watchdog"}, False, "failed (watchdog); look at: journalctl -u"),
        ({"WatchdogUSec": "0"}, False, "no watchdog"),
        ({"WatchdogUSec": "infinity"}, False, "no watchdog"),
    ],
)
def test_unit_is_judged(changes: dict[str, str], good: bool, words: str) -> None:
    finding = unit_finding("calls", {**_WELL, **changes})
    assert finding.good is good
    assert words in finding.sentence


def test_unit_that_systemd_says_nothing_of_is_bad() -> None:
    assert not unit_finding("calls", {}).good


def test_folder_open_to_everybody_is_told(tmp_path: Path) -> None:
    for name in ("data", "run"):
        (tmp_path / name).mkdir(mode=0o750)
    text = f"data_dir: {tmp_path}/data\nrun_dir: {tmp_path}/run\nlines: [{{name: a, port: auto}}]\n"
    settings = parse_settings("x", text)
    found = {finding.subject: finding for finding in examine_system(settings)}
    assert found["data_dir"].good
    assert found["run_dir"].good
    (tmp_path / "data").chmod(0o755)
    (tmp_path / "run").chmod(0o755)
    found = {finding.subject: finding for finding in examine_system(settings)}
    assert found["run_dir"].good
    assert f"chmod o= {tmp_path}/data" in found["data_dir"].sentence
    (tmp_path / "run").chmod(0o777)
    assert [finding.subject for finding in examine_system(settings) if not finding.good] == ["run_dir", "data_dir"]


def test_nothing_is_said_of_systemd_where_it_does_not_run(tmp_path: Path) -> None:
    if os.path.isdir("/run/systemd/system"):  # noqa: PTH112 - the question that the code asks otherwise
        pytest.skip("systemd runs here")
    text = f"data_dir: {tmp_path}\nrun_dir: {tmp_path}\nlines: [{{name: a, port: auto}}]\n"
    assert not any(finding.subject.startswith("unit") for finding in examine_system(parse_settings("x", text)))
