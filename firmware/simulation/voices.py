"""Something that sounds enough like talk for levels, silence and tone detectors, and is different in every call."""

from __future__ import annotations

import math
import random
from array import array
from functools import cache

from firmware.pcm import from_array
from firmware.simulation.synthesis import amplitude
from firmware.units import SAMPLE_RATE_HZ, seconds_to_samples

_POOL_SECONDS = 12
_LEVEL_DBFS = -20.0
_SYLLABLE_SAMPLES = SAMPLE_RATE_HZ // 5
_BANDWIDTH_HZ = 90.0
# First and second formant of a, e, i, o, u, roughly.
_VOWELS_HZ = ((750, 1200), (500, 1850), (300, 2250), (450, 800), (320, 700))


def babble(seconds: float, chance: random.Random) -> bytes:
    """Talk of this length as s16, taken from an endless monologue at a random place."""
    monologue = _monologue()
    samples = seconds_to_samples(seconds)
    start = chance.randrange(len(monologue) // 2)
    turns = (start + samples) * 2 // len(monologue) + 1
    return (monologue * turns)[2 * start : 2 * (start + samples)]


@cache
def _monologue() -> bytes:
    chance = random.Random(1876)
    voice: list[float] = []
    while len(voice) < _POOL_SECONDS * SAMPLE_RATE_HZ:
        voice += _syllable(chance)
    scale = amplitude(_LEVEL_DBFS) / math.sqrt(2 * sum(sample * sample for sample in voice) / len(voice))
    return from_array(array("h", (max(-32768, min(32767, round(sample * scale))) for sample in voice)))


def _syllable(chance: random.Random) -> list[float]:
    """Pulses of a voice through two resonators, with a soft edge at both ends."""
    period = chance.randint(45, 80)
    source = [1.0 if at % period == 0 else chance.uniform(-0.02, 0.02) for at in range(_SYLLABLE_SAMPLES)]
    for formant_hz in chance.choice(_VOWELS_HZ):
        source = _resonate(source, formant_hz)
    edge = math.pi / _SYLLABLE_SAMPLES
    return [sample * math.sin(edge * at) for at, sample in enumerate(source)]


def _resonate(source: list[float], centre_hz: float) -> list[float]:
    radius = math.exp(-math.pi * _BANDWIDTH_HZ / SAMPLE_RATE_HZ)
    one = 2 * radius * math.cos(2 * math.pi * centre_hz / SAMPLE_RATE_HZ)
    two = -radius * radius
    filtered: list[float] = []
    last = before = 0.0
    for sample in source:
        last, before = sample + one * last + two * before, last
        filtered.append(last)
    return filtered
