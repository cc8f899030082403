"""Sounds for the wire, as s16, without numpy. Levels are RMS in dBFS, on the scale of `pcm.level_dbfs`."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from functools import cache

from firmware.pcm import from_array
from firmware.units import SAMPLE_RATE_HZ, seconds_to_samples

_FULL_SCALE = 32768.0

# ITU-T Q.23: one frequency of the row, one of the column.
_ROWS_HZ = (697, 770, 852, 941)
_COLUMNS_HZ = (1209, 1336, 1477, 1633)
_KEYPAD = "123A456B789C*0#D"
DTMF_KEYS = frozenset(_KEYPAD)


def amplitude(level_dbfs: float) -> float:
    """Peak of one sine with this RMS level."""
    return _FULL_SCALE * math.sqrt(2) * 10 ** (level_dbfs / 20)


def sines(components: Sequence[tuple[float, float]], samples: int) -> array[int]:
    """A sum of sines, each `(frequency in Hz, peak)`, from phase zero."""
    mixed = [0.0] * samples
    for frequency_hz, peak in components:
        step = 2 * math.pi * frequency_hz / SAMPLE_RATE_HZ
        mixed = [so_far + peak * math.sin(step * at) for at, so_far in enumerate(mixed)]
    return array("h", (max(-32768, min(32767, round(sample))) for sample in mixed))


@cache
def tone(frequencies_hz: tuple[float, ...], seconds: float, level_dbfs: float = -18.0) -> bytes:
    """Frequencies together; the level is that of their sum."""
    peak = amplitude(level_dbfs) / math.sqrt(len(frequencies_hz))
    return from_array(sines([(frequency_hz, peak) for frequency_hz in frequencies_hz], seconds_to_samples(seconds)))


@cache
def dtmf(key: str, seconds: float = 0.1, level_dbfs: float = -12.0, twist_db: float = 0.0) -> bytes:
    """One key. `twist_db` is how much louder the column is than the row, at the same level of the sum.

    Raises: KeyError for what is no key.
    """
    row_hz, column_hz = dtmf_frequencies(key)
    ratio = 10 ** (twist_db / 20)
    row_peak = amplitude(level_dbfs) / math.sqrt(1 + ratio * ratio)
    return from_array(sines([(row_hz, row_peak), (column_hz, row_peak * ratio)], seconds_to_samples(seconds)))


def dtmf_frequencies(key: str) -> tuple[int, int]:
    """Row and column of a key, in Hz. Raises: KeyError."""
    if key not in DTMF_KEYS:
        raise KeyError(key)
    row, column = divmod(_KEYPAD.index(key), 4)
    return _ROWS_HZ[row], _COLUMNS_HZ[column]
