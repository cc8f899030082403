"""Keys, tones and talk for the ears, made by the bench, which is the sender and knows nothing of the ears' tables."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Any

import numpy as np

import firmware
from firmware.audio.line_ear import LineEar
from firmware.events import LineTone, Sound
from firmware.pcm import SampleFormat, decode_to_s16, encode_s16
from firmware.simulation.loop import ToneKind
from firmware.simulation.synthesis import tone
from firmware.simulation.tones import Tone, tone_cycle, tone_plan
from firmware.simulation.voices import babble
from firmware.wav import parse
from tests.sound_judge import RATE_HZ, signal, speech

KEYS = "1234567890*#"
PROJECT = Path(firmware.__file__).parents[1]
SPOKEN_DIGITS = PROJECT.parent / "shared/data/spoken-digits"
PIECE_BYTES = 640


def silence(seconds: float) -> bytes:
    return bytes(2 * round(seconds * RATE_HZ))


def exchange_tone(
    country: str, kind: ToneKind, seconds: float = 3.5, level_dbfs: float = -18.0, off: float = 0
) -> bytes:
    """A tone from the start of its first burst on; `off` 0.01 is 1 % too high."""
    made = tone_plan(country).tones[kind]
    hz = tuple(frequency * (1 + off) for frequency in made.frequencies_hz)
    if off and not made.cadence_ms:
        return tone(hz, seconds, level_dbfs)
    cycle = tone_cycle(_detuned(made, hz) if off else made, level_dbfs)
    return (cycle * (round(seconds * RATE_HZ * 2) // len(cycle) + 1))[: 2 * round(seconds * RATE_HZ)]


def _detuned(made: Tone, hz: Any) -> Tone:
    # The table holds whole hertz; the generator takes any.
    return dataclasses.replace(made, frequencies_hz=hz)


def noisy(s16: bytes, level_dbfs: float, seed: int = 1) -> bytes:
    noise = np.random.default_rng(seed).normal(0, 32768 * 10 ** (level_dbfs / 20), len(s16) // 2)
    return np.clip(np.round(signal(s16) + noise), -32768, 32767).astype("<i2").tobytes()


def through(s16: bytes, sample_format: SampleFormat) -> bytes:
    """As a modem's samples would bring it."""
    return decode_to_s16(encode_s16(s16, sample_format), sample_format)


def talk() -> bytes:
    """A minute and some: what the bench's callers say."""
    return babble(60, random.Random(7)) + speech()


def recordings(folder: Path, pattern: str) -> bytes:
    """All of a folder, one after the other, 0.3 s apart."""
    sounds = [parse(path.read_bytes()) for path in sorted(folder.glob(pattern))]
    return silence(0.3).join(decode_to_s16(sound.data, sound.sample_format) for sound in sounds)


def hear(s16: bytes, country: str = "CN", piece_bytes: int = PIECE_BYTES) -> list[tuple[float, Sound]]:
    """What an ear hears, each with the time in seconds at which it is told."""
    ear = LineEar(country)
    heard: list[tuple[float, Sound]] = []
    for at in range(0, len(s16), piece_bytes):
        told_at = (at + piece_bytes) / 2 / RATE_HZ
        heard += [(told_at, sound) for sound in ear.hear(s16[at : at + piece_bytes])]
    return heard


def name_of(country: str, kind: ToneKind) -> LineTone:
    """What it is called: busy, where congestion sounds the same."""
    tones = tone_plan(country).tones
    alike = kind is ToneKind.CONGESTION and tones[kind] == tones[ToneKind.BUSY]
    return LineTone.BUSY if alike else LineTone(kind.value)
