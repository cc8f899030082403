"""`linekeeper prompts`, as an office uses it: its own recordings in, heard, listed, checked, and taken back."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.appliance import COMMAND
from firmware.audio.catalogue import default_folder
from firmware.audio.own_versions import own_folder
from firmware.audio.shelf import Shelf

soundfile = pytest.importorskip("soundfile", reason="soundfile is not installed")


class Office:
    """A configuration, and the command with it."""

    def __init__(self, folder: Path) -> None:
        self.own = own_folder(folder / "data")
        self._config = folder / "linekeeper.yaml"
        lines = f"data_dir: {folder}/data\nrun_dir: {folder}/run\nlines: [{{name: front, port: /dev/ttyUSB0}}]\n"
        self._config.write_text(lines)

    def prompts(self, *words: str | Path, status: int = 0) -> subprocess.CompletedProcess[str]:
        command = [str(COMMAND), "--config", str(self._config), "prompts", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == status, done.stderr
        assert "Traceback" not in done.stderr
        return done

    def row(self, language: str, prompt: str) -> dict[str, Any]:
        rows: list[dict[str, Any]] = json.loads(self.prompts("list", "--json").stdout)
        (found,) = [row for row in rows if (row["language"], row["id"]) == (language, prompt)]
        return found


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """A greeting that is fit, and one that is not."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    at = np.arange(2 * 44100) / 44100
    signal = 0.3 * np.sin(2 * np.pi * 440 * at) * (np.sin(2 * np.pi * 3 * at) > 0)
    soundfile.write(folder / "greeting.en.mp3", signal, 44100)
    soundfile.write(folder / "goodbye.en.wav", np.zeros(44100), 44100)
    return folder


def test_an_offices_voice_comes_in_is_heard_and_goes_back(office: Office, recordings: Path) -> None:
    done = office.prompts("import", recordings, status=1)
    assert re.search(r"^en/greeting: version 1, 2\.\d s, greeting\.en\.mp3$", done.stdout, re.MULTILINE)
    assert "goodbye.en.wav: there is next to nothing to hear" in done.stderr
    row = office.row("en", "greeting")
    assert (row["source"], row["own"], row["version"]) == ("uploaded", True, 1)
    assert row["level_dbfs"] == pytest.approx(-20, abs=1)
    mine = Shelf(default_folder(), ["zh", "en"], pytest.fail, office.own).clip("greeting", "en")
    assert len(mine.s16) == round(row["seconds"] * 16000)
    assert "all prompts are good" in office.prompts("check").stdout
    assert "the sound that came with us" in office.prompts("roll-back", "en/greeting").stdout
    assert office.row("en", "greeting")["source"] == "synthesised"
    assert "version 1" in office.prompts("roll-back", "en/greeting", "--to", "1").stdout
    assert office.row("en", "greeting")["own"]


def test_a_broken_own_prompt_fails_the_check_and_is_named_in_the_list(office: Office, recordings: Path) -> None:
    office.prompts("import", recordings, status=1)
    (office.own / "en" / "greeting" / "1.wav").write_bytes(b"RIFF")
    assert "version 1 of en/greeting cannot be used" in office.prompts("check", status=1).stderr
    assert "version 1 of en/greeting cannot be used" in office.prompts("list").stderr


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["roll-back", "en/greeting"], 1, "no version of your own"),
        (["roll-back", "../../etc"], 1, "is no prompt"),
        (["roll-back", "en/greeting", "--to", "-1"], 2, "--to"),
        (["import", "/nowhere"], 1, "cannot be read"),
        (["import", "/", "--language", "fr"], 2, 'no language "fr"'),
        (["build", "--piper-voice", "en=/x.onnx"], 2, "goes with --own"),
        (["build", "--own", "--piper-voice", "en"], 2, "LANGUAGE=FILE"),
        (["build", "--own", "--piper-voice", "fr=/x.onnx"], 2, 'no language "fr"'),
        (["build", "--own", "--piper-voice", "en=/x.onnx"], 1, "/x.onnx is not there"),
    ],
)
def test_mistakes_are_told_in_a_line(office: Office, words: list[str], status: int, said: str) -> None:
    assert said in office.prompts(*words, status=status).stderr
    assert not office.own.exists()


def test_an_empty_folder_is_told(office: Office, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "no sound files" in office.prompts("import", tmp_path / "empty", status=1).stderr


def test_without_a_configuration_the_shipped_set_is_listed() -> None:
    done = subprocess.run([str(COMMAND), "prompts", "list"], capture_output=True, text=True, check=True, timeout=60)
    assert "greeting" in done.stdout
    assert "synthesised" in done.stdout
