"""A small prompts folder with made-up speech, so that most tests need no synthesiser."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware.audio.catalogue import load_catalogue
from firmware.audio.files import RECORDED, FileRecord, dump_files
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
            records[language, prompt] = FileRecord(RECORDED, "a test tone", catalogue.checksum(prompt, language))
    (tmp_path / "files.yaml").write_text(dump_files(records), encoding="utf-8")
    return tmp_path
