"""A small prompts folder with made-up speech, so that most tests need no synthesiser."""

from __future__ import annotations

import math
import os
import sys
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware.audio.catalogue import load_catalogue
from firmware.audio.files import RECORDED, FileRecord, dump_files, sound_checksum
from firmware.pcm import SampleFormat, from_array
from firmware.wav import dump

CATALOGUE = """\
voices:
  zh: {engine: espeak-ng, voice: cmn-latn-pinyin, words_per_minute: 180, digit_words_per_minute: 120}
  en: {engine: flite, voice: rms, words_per_minute: 165}
prompts:
  goodbye:
    zh: 感谢您的来电，再见。
    en: Thank you for calling. Goodbye.
  digit_1: {zh: 幺, en: one}
"""


def speech_like(seconds: float = 1.0, rms_dbfs: float = -20.0, frequency_hz: float = 500.0) -> bytes:
    """A tone in bursts of 140 ms with 60 ms pauses, quiet at both ends."""
    peak = 32768 * math.sqrt(2) * 10 ** (rms_dbfs / 20)
    length = int(seconds * 8000)
    return from_array(
        array(
            "h",
            (
                round(peak * math.sin(2 * math.pi * frequency_hz * at / 8000))
                if 480 <= at < length - 480 and at % 1600 >= 480
                else 0
                for at in range(length)
            ),
        )
    )


@pytest.fixture
def speech() -> Callable[..., bytes]:
    return speech_like


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A complete, faultless prompts folder."""
    (tmp_path / "catalogue.yaml").write_text(CATALOGUE, encoding="utf-8")
    catalogue = load_catalogue(tmp_path)
    records = {}
    for language in ("zh", "en"):
        (tmp_path / language).mkdir()
        for number, prompt in enumerate(catalogue.prompts, start=4):
            sound = speech_like(frequency_hz=number * 100.0 + (50 if language == "en" else 0))
            (tmp_path / language / f"{prompt}.wav").write_bytes(dump(SampleFormat.S16, sound))
            records[language, prompt] = FileRecord(
                RECORDED, "a test tone", catalogue.text_checksum(prompt, language), sound_checksum(sound)
            )
    (tmp_path / "files.yaml").write_text(dump_files(records), encoding="utf-8")
    return tmp_path


# As `piper` of piper-tts 1.8.0 takes it: the model, the file, and one text a line on standard input.
FAKE_PIPER = """\
#!{python}
import argparse, array, json, math, pathlib, sys, wave
parser = argparse.ArgumentParser()
parser.add_argument("-m", "--model", required=True)
parser.add_argument("-f", "--output-file", "--output_file", required=True)
parser.add_argument("--length-scale", "--length_scale", type=float, default=1.0)
parser.add_argument("--sentence-silence", type=float, default=0.0)
arguments = parser.parse_args()
lines = [line.strip() for line in sys.stdin if line.strip()]
pathlib.Path(__file__).with_name("said.json").write_text(json.dumps([arguments.model, lines]))
if not pathlib.Path(arguments.model + ".json").exists():
    sys.exit("no such voice")
rate, word = 22050, int(22050 * 0.3 * arguments.length_scale)
words = [word for line in lines for word in line.split()]
with wave.open(arguments.output_file, "wb") as wav:
    wav.setnchannels(1); wav.setsampwidth(2); wav.setframerate(rate)
    for at, _ in enumerate(words):
        tone = [round(9000 * math.sin(2 * math.pi * (400 + 60 * at) * n / rate)) for n in range(word)]
        wav.writeframes(array.array("h", tone).tobytes() + bytes(2 * rate // 10))
"""


@pytest.fixture
def piper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the program `piper`, found before any other."""
    folder = tmp_path / "programs"
    folder.mkdir()
    program = folder / "piper"
    program.write_text(FAKE_PIPER.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    return folder


@pytest.fixture
def piper_voice(tmp_path: Path) -> Path:
    """The two files of a voice."""
    path = tmp_path / "en_GB-someone-medium.onnx"
    path.write_bytes(b"weights")
    path.with_name(f"{path.name}.json").write_text("{}")
    return path
