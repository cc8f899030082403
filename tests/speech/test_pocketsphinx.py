"""Pocketsphinx on telephone sound: synthesised words always, real recordings where they lie beside the project."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from benchmarks.telephone_path import DIGITS, RECORDINGS, telephone
from firmware.errors import SpeechError
from firmware.pcm import SampleFormat
from firmware.settings import SpeechSettings
from firmware.speech.offline import OfflineRecognizer
from firmware.speech.pocketsphinx_engine import load
from firmware.speech.preparation import prepare
from firmware.units import seconds_to_samples
from tests.speech.tiny_acoustics import speak

SETTINGS = SpeechSettings(engine="pocketsphinx")
MENU = ["message", "call back", "operator", "repeat", "back", "zero", "one", "two", "nine"]


def recognizer(phrases: list[str]) -> OfflineRecognizer:
    return OfflineRecognizer(SETTINGS, "en", phrases)


@pytest.mark.parametrize("sample_format", [SampleFormat.U8, SampleFormat.ULAW])
def test_menu_words_of_a_synthetic_voice_are_understood(sample_format: SampleFormat) -> None:
    ears = recognizer(MENU)
    words = ["message", "call back", "operator", "repeat", "one", "two"]
    heard = [ears.recognise(telephone(speak(word, "rms"), sample_format)) for word in words]
    right = [decoded.text == word for decoded, word in zip(heard, words, strict=True)]
    assert sum(right) >= len(words) - 1, heard
    assert all(0 < decoded.confidence <= 1 for decoded in heard)


def test_silence_and_line_noise_are_nothing() -> None:
    assert recognizer(MENU).recognise(telephone(np.zeros(8000))).text == ""


def test_answers_do_not_depend_on_those_before() -> None:
    ears, one, other = recognizer(MENU), telephone(speak("message", "rms")), telephone(speak("repeat", "awb"))
    first = ears.recognise(one)
    for _ in range(5):
        ears.recognise(other)
    assert ears.recognise(one) == first


def test_preparation_keeps_words_at_an_even_level_with_silence_around() -> None:
    prepared = np.frombuffer(prepare(telephone(speak("message", "rms") / 8)), "<i2").astype(float)
    edge = seconds_to_samples(0.3)
    assert not prepared[:edge].any()
    assert not prepared[-edge:].any()
    assert 8000 <= np.abs(prepared).max() <= 16_000
    assert prepare(bytes(16_000)) == b""


def test_what_is_missing_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match="speech fetch"):
        load("zh", None)
    with pytest.raises(SpeechError, match="not complete"):
        load("en", tmp_path)
    with pytest.raises(SpeechError, match="xyzzyx"):
        load("en", None).decoder(["xyzzyx"])
    assert load("en", None).missing_words(["message", "xyzzyx", "留言"]) == ["xyzzyx", "留言"]


def test_free_speech_is_written_down() -> None:
    dictation = load("en", None).dictation()
    dictation.feed(telephone(speak("please call me back tomorrow morning", "rms")))
    decoded = dictation.finish()
    assert {"call", "me", "back", "tomorrow", "morning"} & set(decoded.text.split())
    assert 0 <= decoded.confidence <= 1


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the spoken digits do not lie beside the project")
def test_real_speakers_are_understood_on_the_telephone() -> None:
    ears = recognizer(list(DIGITS))
    files = sorted(RECORDINGS.glob("*.wav"))[::10]
    right = [ears.recognise(telephone(_recorded(file))).text == DIGITS[int(file.name[0])] for file in files]
    assert len(files) >= 60
    assert sum(right) / len(right) >= 0.75


def _recorded(file: Path) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    with wave.open(str(file)) as sound:
        return np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(np.float64)
