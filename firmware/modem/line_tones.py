"""Whether a sound is one of an exchange's tones: a backstop for modems that report none (modem-reference 10). Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from operator import mul

from firmware.pcm import SampleFormat, decode_to_s16, to_array
from firmware.units import SAMPLE_RATE_HZ

# Dial, busy and congestion tones of all countries in the tone table (modem-reference 10).
_TONES_HZ = (350, 400, 413, 425, 440, 450, 480, 620)
# A tone has one or two frequencies; speech spreads its power over many.
_POWER_SHARE = 0.7
# 100 ms resolve 10 Hz: a neighbour this close is the same peak.
_SAME_PEAK_HZ = 30


def is_exchange_tone(block: bytes, sample_format: SampleFormat) -> bool:
    """Whether most of the power lies in the one or two frequencies of a tone. Some 100 ms are needed."""
    samples = to_array(decode_to_s16(block, sample_format)).tolist()
    energy = _product(samples, samples)
    if not energy:
        return False
    shares = sorted(((_power(samples, hz) / energy, hz) for hz in _TONES_HZ), reverse=True)
    best, first_hz = shares[0]
    second = next((share for share, hz in shares if abs(hz - first_hz) > _SAME_PEAK_HZ), 0.0)
    return best + second >= _POWER_SHARE


def _power(samples: Sequence[float], hz: int) -> float:
    cosine, sine = _waves(hz, len(samples))
    real, imaginary = _product(samples, cosine), _product(samples, sine)
    return 2 * (real * real + imaginary * imaginary) / len(samples)


def _product(one: Sequence[float], other: Sequence[float]) -> float:
    return float(sum(map(mul, one, other)))


@cache
def _waves(hz: int, count: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    step = 2 * math.pi * hz / SAMPLE_RATE_HZ
    return tuple(math.cos(step * n) for n in range(count)), tuple(math.sin(step * n) for n in range(count))
