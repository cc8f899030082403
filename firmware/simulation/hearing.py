"""What an ear makes of a tenth of a second of line. Pure and cheap: a bench listens to a thousand calls."""

from __future__ import annotations

import math
from operator import add, mul

from firmware.pcm import SampleFormat, level_dbfs, to_array
from firmware.units import SAMPLE_RATE_HZ

BLOCK_SAMPLES = SAMPLE_RATE_HZ // 10
# Between the restless last bit of 8-bit samples (-44 dBFS) and quiet speech.
VOICED_ABOVE_DBFS = -40.0
# Modems beep with 900 to 1000 Hz (modem-reference 8).
BEEP_HZ = (850.0, 1150.0)
# A level needs no more than one sample in seven; seven divides neither the rate nor the frequencies of tones.
_EVERY = 7
# Share of the power that no single sine explains: 8-bit quantisation leaves less at beeps of -25 dBFS and louder,
# vowels more.
_IMPURE_ABOVE = 0.02
# A first look at this much of a block tells most speech from a tone.
_GLANCE_SAMPLES = 160


def voiced(s16: bytes) -> bool:
    """Whether there is anything to hear."""
    return bool(s16) and level_dbfs(to_array(s16)[::_EVERY].tobytes(), SampleFormat.S16) > VOICED_ABOVE_DBFS


def is_beep(s16: bytes) -> bool:
    """Whether the block is one steady sine of about 1 kHz."""
    for part in (s16[: 2 * _GLANCE_SAMPLES], s16):
        frequency_hz = sine_hz(part)
        if frequency_hz is None or not BEEP_HZ[0] <= frequency_hz <= BEEP_HZ[1]:
            return False
    return True


def sine_hz(s16: bytes) -> float | None:
    """The frequency of a block that is one sine and nothing else; None for all others and for silence.

    A sine of w radians per sample obeys x[n-1] + x[n+1] = 2 cos(w) x[n]: the best cos(w) by least squares gives the
    frequency, and what it leaves unexplained tells speech from tones.
    """
    samples = to_array(s16)
    middle = samples[1:-1]
    if not middle or level_dbfs(s16, SampleFormat.S16) <= VOICED_ABOVE_DBFS:
        return None
    around = list(map(add, samples[:-2], samples[2:]))
    power = sum(map(mul, middle, middle))
    if not power:
        return None
    slope = sum(map(mul, around, middle)) / power
    left = sum(map(mul, around, around)) - slope * slope * power
    if abs(slope) >= 2 or left > _IMPURE_ABOVE * power:
        return None
    return math.acos(slope / 2) * SAMPLE_RATE_HZ / (2 * math.pi)
