"""piper by a program that keeps to its command line and writes real sound; the true one needs voices from elsewhere."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest

from firmware.audio.catalogue import Voice, load_catalogue
from firmware.audio.synthesis import describe_voice, synthesise
from firmware.errors import PromptError


def install(folder: Path, name: str, text: str) -> None:
    program = folder / name
    program.write_text(text)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where programs are found; it is empty."""
    folder = tmp_path / "nothing"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    return folder


def voice(model: Path, slowdown: float = 1.0) -> Voice:
    return Voice("piper", str(model), 165, slowdown)


def test_a_text_goes_to_the_program_on_one_line_and_sound_comes_back(piper: Path, piper_voice: Path) -> None:
    speech = synthesise(voice(piper_voice), "Thank you\nfor calling.")
    assert speech.rate_hz == 22050
    assert len(speech.samples) == pytest.approx(4 * 0.4 * 22050, rel=0.01)
    assert json.loads((piper / "said.json").read_text()) == [str(piper_voice), ["Thank you for calling."]]


def test_digits_are_read_slower_in_proportion(piper: Path, piper_voice: Path) -> None:
    usual, slow = (len(synthesise(voice(piper_voice, slowdown), "one").samples) for slowdown in (1.0, 1.5))
    assert slow - usual == pytest.approx(0.15 * 22050, rel=0.01)


def test_the_record_names_the_voice_and_not_where_it_lies(piper: Path, piper_voice: Path) -> None:
    assert describe_voice(voice(piper_voice)) == "piper en_GB-someone-medium"


def test_a_missing_piper_is_told_with_its_cure(programs: Path, piper_voice: Path) -> None:
    with pytest.raises(PromptError, match="piper is not installed: pip install piper-tts"):
        describe_voice(voice(piper_voice))


def test_the_mouse_program_of_that_name_is_not_taken_for_it(programs: Path, piper_voice: Path) -> None:
    install(programs, "piper", "#!/bin/sh\necho 'Usage: piper [OPTION...]'\n")
    with pytest.raises(PromptError, match=r"another program of that name.*pip install piper-tts"):
        describe_voice(voice(piper_voice))


@pytest.mark.parametrize("lost", ["en_GB-someone-medium.onnx", "en_GB-someone-medium.onnx.json"])
def test_a_missing_half_of_a_voice_is_told(piper: Path, piper_voice: Path, lost: str) -> None:
    (piper_voice.parent / lost).unlink()
    with pytest.raises(PromptError, match=rf"{lost} is not there"):
        describe_voice(voice(piper_voice))


def test_a_catalogue_may_name_a_piper_voice(folder: Path, piper_voice: Path) -> None:
    path = folder / "catalogue.yaml"
    old = "engine: flite, voice: rms, words_per_minute: 165"
    new = f"engine: piper, voice: {piper_voice}, words_per_minute: 165, digit_words_per_minute: 110"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    catalogue = load_catalogue(folder)
    assert catalogue.voice("goodbye", "en") == voice(piper_voice)
    assert catalogue.voice("digit_1", "en").slowdown == pytest.approx(1.5)


def test_the_checksum_does_not_follow_the_place_of_a_voice(folder: Path, tmp_path: Path) -> None:
    catalogue = load_catalogue(folder)
    here, there, other = (
        catalogue.with_piper("en", tmp_path / path) for path in ("a/one.onnx", "b/one.onnx", "a/two.onnx")
    )
    assert here.checksum("goodbye", "en") == there.checksum("goodbye", "en") != other.checksum("goodbye", "en")
    assert here.checksum("goodbye", "zh") == catalogue.checksum("goodbye", "zh")
    assert here.voice("digit_1", "en").engine == "piper"
