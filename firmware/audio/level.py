"""How loud speech is. Pure, and without numpy: the check runs on the appliance too."""

from __future__ import annotations

import math

from firmware.pcm import SILENT_DBFS, to_array
from firmware.units import SAMPLE_RATE_HZ

_FRAME_SAMPLES = SAMPLE_RATE_HZ // 50
# ITU-T P.56 counts as active what lies less than this below the active level itself.
_MARGIN_DB = 15.9
_FULL_SCALE = 32768.0


def active_level_dbfs(s16: bytes) -> float:
    """RMS level of the parts in which somebody speaks, in dB against full scale.

    After the idea of ITU-T P.56, with frames of 20 ms in place of its envelope; `SILENT_DBFS` when nobody does.
    """
    powers = [power for power in _frame_powers(s16) if power]
    while powers:
        mean = sum(powers) / len(powers)
        loud = [power for power in powers if power >= mean * 10 ** (-_MARGIN_DB / 10)]
        if len(loud) == len(powers):
            return 10 * math.log10(mean / _FULL_SCALE**2)
        powers = loud
    return SILENT_DBFS


def peak_dbfs(s16: bytes) -> float:
    """The largest sample, in dB against full scale."""
    samples = to_array(s16)
    largest = max(map(abs, samples), default=0)
    return 20 * math.log10(largest / _FULL_SCALE) if largest else SILENT_DBFS


def _frame_powers(s16: bytes) -> list[float]:
    samples = to_array(s16)
    frames = (samples[at : at + _FRAME_SAMPLES] for at in range(0, len(samples), _FRAME_SAMPLES))
    return [sum(sample * sample for sample in frame) / len(frame) for frame in frames]
