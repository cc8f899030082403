"""What callers say, different in every call, and where it is found again, sample for sample."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from firmware.pcm import SampleFormat, encode_s16
from firmware.simulation.voices import babble
from firmware.units import SAMPLE_RATE_HZ

# Strong enough to change 8-bit samples, so that no two seconds of speech are alike; weak beside the voice.
_NOISE_SHIFT = 6
_ANCHOR_SAMPLES = 64
_ANCHOR_EVERY_SAMPLES = SAMPLE_RATE_HZ // 10


def unique_speech(seconds: float, chance: random.Random) -> bytes:
    """Talk of this length as s16 that occurs nowhere else."""
    voice = np.frombuffer(babble(seconds, chance), "<i2").astype(np.int32)
    noise = np.frombuffer(chance.randbytes(2 * len(voice)), "<i2") >> _NOISE_SHIFT
    return np.clip(voice + noise, -32768, 32767).astype("<i2").tobytes()


@dataclass(frozen=True, slots=True)
class Match:
    """Samples `spoken_from` up to before `spoken_to` of what was said lie at `recorded_from` of a recording."""

    spoken_from: int
    spoken_to: int
    recorded_from: int

    @property
    def samples(self) -> int:
        return self.spoken_to - self.spoken_from


def find_speech(spoken_s16: bytes, recorded: bytes, sample_format: SampleFormat) -> Match | None:
    """The stretch that both have in common: as far as the two overlap, every sample the same. None where there is none.

    A recording that lost, gained or changed a sample within the overlap does not match.
    """
    width = sample_format.sample_bytes
    spoken = encode_s16(spoken_s16, sample_format)
    for at in _anchors(len(spoken) // width):
        anchor = spoken[at * width : (at + _ANCHOR_SAMPLES) * width]
        found = recorded.find(anchor)
        if found >= 0 and found % width == 0:
            return _overlap(spoken, recorded, at, found // width, width)
    return None


def _anchors(samples: int) -> Iterator[int]:
    yield from range(0, max(0, samples - _ANCHOR_SAMPLES), _ANCHOR_EVERY_SAMPLES)


def _overlap(spoken: bytes, recorded: bytes, spoken_at: int, recorded_at: int, width: int) -> Match | None:
    before = min(spoken_at, recorded_at)
    after = min(len(spoken) // width - spoken_at, len(recorded) // width - recorded_at)
    match = Match(spoken_at - before, spoken_at + after, recorded_at - before)
    said = spoken[match.spoken_from * width : match.spoken_to * width]
    kept = recorded[match.recorded_from * width : (match.recorded_from + match.samples) * width]
    return match if said == kept else None
