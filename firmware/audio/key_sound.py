"""How much of a sound is one key, in steps of 6 ms; computed only once a key is known."""

from __future__ import annotations

from collections.abc import Iterator

from firmware.audio.blocks import mean_square
from firmware.audio.spandsp import KEY_BLOCK_SAMPLES, ToneFilters

STEP_SAMPLES = KEY_BLOCK_SAMPLES // 2
# ITU-T Q.23: one frequency of the row, one of the column.
_ROWS_HZ = (697, 770, 852, 941)
_COLUMNS_HZ = (1209, 1336, 1477, 1633)
_KEYPAD = "123A456B789C*0#D"


def sound_of(key: str, s16: bytes) -> Iterator[float]:
    """The share of the power that lies in a key's frequencies, step by step from the end of the sound to its start."""
    filters = _filters(key)
    for end in range(len(s16), 0, -2 * STEP_SAMPLES):
        step = s16[max(0, end - 2 * STEP_SAMPLES) : end]
        power = mean_square(step)
        yield sum(filters.powers(step)) / power if power else 0.0


def _filters(key: str) -> ToneFilters:
    row, column = divmod(_KEYPAD.index(key), 4)
    return ToneFilters((_ROWS_HZ[row], _COLUMNS_HZ[column]), STEP_SAMPLES)
