"""The command line as people and programs use it: exit status, one line of what to do, JSON."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from firmware.clock import SystemClock
from firmware.events import CallerId, RecordingEnd
from firmware.pcm import SampleFormat
from firmware.ports import Take
from firmware.settings import parse_settings
from firmware.storage.store import Store

CONFIG = """
data_dir: {folder}/data
run_dir: {folder}/run
languages: [zh, en]
lines:
  - {{name: front, port: {folder}/no-such-tty}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "linekeeper.yaml"
    path.write_text(CONFIG.format(folder=tmp_path), encoding="utf-8")
    return path


def linekeeper(*words: str | Path, typed: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "firmware.cli", *map(str, words)]
    return subprocess.run(command, input=typed, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "words",
    [
        ["calls", "list"],
        ["nonsense"],
        ["run", "--nonsense"],
        ["--config", "/nonexistent.yaml", "calls", "list"],
        ["bench", "serve", "--lines", "0"],
        ["bench", "serve", "--profile", "no-such-modem"],
    ],
)
def test_wrong_usage_is_one_line_and_status_2(words: list[str]) -> None:
    done = linekeeper(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1


def test_every_mistake_of_a_configuration_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("data_dir: /d\nrun_dri: /r\ncountry: China\nlines: [{name: a, port: /p}, {name: a, port: /q}]\n")
    done = linekeeper("--config", path, "check")
    assert done.returncode == 2
    assert f'{path}:2: unknown key "run_dri" (did you mean "run_dir"?)' in done.stderr
    assert f"{path}:3: country" in done.stderr
    assert '"run_dir" is missing' in done.stderr


def test_service_that_does_not_exist_is_refused(config: Path) -> None:
    done = linekeeper("--config", config, "run", "fax")
    assert done.returncode == 2
    assert "there is: calls" in done.stderr


def test_good_configuration_passes_the_check(config: Path) -> None:
    done = linekeeper("--config", config, "check")
    assert done.returncode == 0
    assert "flow builtin:office" in done.stdout
    assert "power: none" in done.stdout


def test_a_ups_profile_that_does_not_exist_is_told_by_the_check(config: Path) -> None:
    config.write_text(config.read_text() + "power: {profile: x782}\n")
    done = linekeeper("--config", config, "check")
    assert done.returncode == 2
    assert 'no UPS profile is called "x782" (did you mean "x728"?)' in done.stderr


def test_lines_are_listed_although_nothing_runs(config: Path) -> None:
    done = linekeeper("--config", config, "lines", "list", "--json")
    [line] = json.loads(done.stdout)
    assert line["name"] == "front"
    assert line["state"] == "stopped"
    assert "linekeeper run" in line["fault"]
    assert set(line) == {"name", "state", "modem", "firmware", "last_ring_at", "last_proved_alive_at", "fault"}


def test_records_that_do_not_exist_yet_are_status_1(config: Path) -> None:
    done = linekeeper("--config", config, "messages", "list", "--json")
    assert done.returncode == 1
    assert "start Linekeeper" in done.stderr


def test_doctor_names_the_missing_modem_and_what_to_do(config: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    done = linekeeper("--config", config, "doctor", "--json")
    assert done.returncode == 1
    [finding] = [item for item in json.loads(done.stdout) if item["subject"] == "port of front"]
    assert not finding["good"]
    assert "plug the modem in" in finding["sentence"]


def test_flow_is_checked_and_drawn(tmp_path: Path) -> None:
    assert "all good" in linekeeper("flow", "check", "builtin:office").stdout
    assert linekeeper("flow", "draw", "builtin:office").stdout.count("stateDiagram") == 1
    bad = tmp_path / "flow.yaml"
    bad.write_text("start: here\nsteps:\n  here: {kind: sya, prompt: greeting}\n")
    done = linekeeper("flow", "check", bad)
    assert done.returncode == 2
    assert 'did you mean "say"?' in done.stderr


def test_bench_serve_introduces_its_lines_and_answers_every_command() -> None:
    done = linekeeper("bench", "serve", "--lines", "2", typed="what\n")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line.get("name") for line in told[:2]] == ["line1", "line2"]
    assert "tty" in told[0]
    assert "power_socket" in told[2]
    assert told[3]["event"] == "error"
    assert done.returncode == 0


def test_backup_restore_and_erasure_by_command(config: Path, tmp_path: Path) -> None:
    data_dir = parse_settings("config", config.read_text(encoding="utf-8")).data_dir
    asyncio.run(_one_message(data_dir, "13800138000"))
    asyncio.run(_one_message(data_dir, "02187654321"))
    saved = linekeeper("--config", config, "backup", tmp_path / "one")
    assert (saved.returncode, "opened and checked" in saved.stdout) == (0, True)
    erased = linekeeper("--config", config, "callers", "erase", "+86 138 0013 8000")
    assert "erased: 1 messages, 1 recordings" in erased.stdout
    assert "138" not in erased.stdout.partition("receipt")[0]
    assert linekeeper("--config", config, "messages", "erase", "1").returncode == 1
    restored = linekeeper("--config", config, "restore", tmp_path / "one")
    assert (restored.returncode, "restored what was saved at" in restored.stdout) == (0, True)
    assert linekeeper("--config", config, "messages", "erase", "1").returncode == 1  # erased, and not brought back
    assert linekeeper("--config", config, "messages", "erase", "2").returncode == 0
    assert linekeeper("--config", config, "backup").returncode == 2
    assert linekeeper("--config", config, "backup", "--scheduled").returncode == 2
    refused = linekeeper("--config", config, "restore", config)
    assert (refused.returncode, "cannot be used as a backup" in refused.stderr) == (1, True)


async def _one_message(data_dir: Path, number: str) -> None:
    store = Store(data_dir, SystemClock(), keep_free_megabytes=0)
    await store.open()
    call = await store.call_offered("front", CallerId(number))
    recording = await store.start_recording(call, SampleFormat.U8)
    recording.write(bytes(range(256)) * 32)
    await store.keep_message(call, await recording.finish(Take(RecordingEnd.KEY, 8192, 8192, voiced=True)), "zh")
    await store.close()
