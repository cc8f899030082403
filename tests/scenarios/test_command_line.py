"""The real command with real mistakes: exit status 2, every mistake at once, each with its line."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from benchmarks.appliance import COMMAND

_GOOD = """\
data_dir: {folder}/data
run_dir: {folder}/run
lines:
  - name: front
    port: /dev/ttyUSB0
"""

_WRONG = """\
data_dir: {folder}/data
run_dir: {folder}/run
countri: CN
time_zone: Asia/Shanghigh
rings: 12
lines:
  - name: front
    port: /dev/ttyUSB0
    profil: auto
  - name: back office
    port: /dev/ttyUSB1
speech: {{engine: parrot}}
"""


def linekeeper(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(COMMAND), *words], capture_output=True, text=True, check=False, timeout=60)


def config(folder: Path, text: str) -> str:
    path = folder / "linekeeper.yaml"
    path.write_text(text.format(folder=folder), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("command", ["check", "run", "doctor"])
def test_every_mistake_is_told_at_once_with_its_line(tmp_path: Path, command: str) -> None:
    done = linekeeper("--config", config(tmp_path, _WRONG), command)
    assert done.returncode == 2
    assert done.stdout == ""
    for line, word in ((3, "countri"), (4, "Shanghigh"), (5, "rings"), (9, "profil"), (10, "name"), (12, "engine")):
        (told,) = [text for text in done.stderr.splitlines() if f"linekeeper.yaml:{line}:" in text]
        assert word in told
    assert 'did you mean "country"?' in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no settings"),
        ("lines: [", "linekeeper.yaml:1"),
        ("- a list", "no settings"),
        ("data_dir: \x00", "linekeeper.yaml"),
        ("data_dir: /x\nrun_dir: /y\n", '"lines" is missing'),
        ("data_dir: /x\nrun_dir: /y\nlines: []\n", "no lines"),
    ],
)
def test_a_file_that_is_no_configuration_gets_a_plain_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "linekeeper.yaml"
    path.write_text(text, encoding="utf-8")
    done = linekeeper("--config", str(path), "check")
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_configuration_is_told(tmp_path: Path) -> None:
    assert linekeeper("--config", str(tmp_path / "none.yaml"), "check").returncode == 2
    done = linekeeper("check")
    assert done.returncode == 2
    assert "--config" in done.stderr


def test_check_tells_what_is_good_without_touching_hardware(tmp_path: Path) -> None:
    done = linekeeper("--config", config(tmp_path, _GOOD), "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "prompts" in done.stdout
    assert not (tmp_path / "data").exists()


def test_a_flow_with_mistakes_is_refused_by_check_and_run(tmp_path: Path) -> None:
    flow = tmp_path / "flow.yaml"
    flow.write_text("name: x\nstart: a\nsteps:\n  a: {kind: say, prompt: nothing, next: b}\n  c: {kind: hang}\n")
    text = _GOOD + f"flow: {flow}\n"
    for command in ("check", "run"):
        done = linekeeper("--config", config(tmp_path, text), command)
        assert done.returncode == 2
        assert "flow.yaml:4" in done.stderr
        assert "flow.yaml:5" in done.stderr
