"""`linekeeper listen`: keys, tones and words in recordings."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from firmware.pcm import SampleFormat, encode_s16
from firmware.simulation.loop import ToneKind
from firmware.simulation.synthesis import dtmf
from firmware.simulation.tones import tone_plan
from firmware.wav import dump
from tests.speech.tiny_acoustics import speak


def listen(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "firmware.cli", "listen", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_keys_and_tones_are_named_in_json(tmp_path: Path) -> None:
    keys = b"".join(dtmf(key, 0.1) + bytes(1600) for key in "1590*#")
    busy = tone_plan("US").cycle(ToneKind.BUSY) * 4
    (tmp_path / "keys.wav").write_bytes(dump(SampleFormat.S16, keys))
    (tmp_path / "busy.wav").write_bytes(dump(SampleFormat.ULAW, encode_s16(busy, SampleFormat.ULAW)))
    done = listen(tmp_path / "keys.wav", tmp_path / "busy.wav", "--country", "us", "--json")
    assert done.returncode == 0, done.stderr
    first, second = json.loads(done.stdout)
    assert first == {"file": f"{tmp_path}/keys.wav", "digits": "1590*#", "tones": [], "text": "", "confidence": 0.0}
    assert (second["digits"], second["tones"]) == ("", ["busy"])


def test_words_are_those_that_were_asked_for(tmp_path: Path) -> None:
    said = bytes(8000) + speak("message", "rms").astype("<i2").tobytes() + bytes(16000)
    (tmp_path / "said.wav").write_bytes(dump(SampleFormat.S16, said))
    done = listen(tmp_path / "said.wav", "--words", "message, call back,operator", "--language", "en", "--json")
    assert done.returncode == 0, done.stderr
    (heard,) = json.loads(done.stdout)
    assert heard["text"] == "message"
    assert 0 < heard["confidence"] <= 1


def test_what_cannot_be_heard_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "no.wav").write_bytes(b"not a sound")
    (tmp_path / "silence.wav").write_bytes(dump(SampleFormat.S16, bytes(1600)))
    for arguments, told in (
        ([tmp_path / "no.wav"], "no.wav"),
        ([tmp_path / "missing.wav"], "missing.wav"),
        ([tmp_path / "silence.wav", "--words", "xyzzyx"], "xyzzyx"),
        ([tmp_path / "silence.wav", "--words", "是", "--language", "zh"], "speech fetch"),
    ):
        done = listen(*arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert told in done.stderr
        assert len(done.stderr.splitlines()) == 1
