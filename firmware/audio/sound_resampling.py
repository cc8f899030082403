"""Sample rates of sound cards that do not know the telephone's. Needs numpy, so it is loaded for such a card only."""

from __future__ import annotations

from math import gcd

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float64]

# Half of the filter's impulse response. With a Blackman window (transition 5.5 / length) that is about 700 Hz wide.
_HALF_SECONDS = 0.004
# Of the lower of both rates: nearly all of the telephone band stays, and nothing is mirrored into it.
_CUT_OFF = 3700 / 8000
_MOST_BYTES = 16_000


class Resampler:
    """Turns a stream of s16 from one rate to another, in pieces of any length, without a seam between them."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        common = gcd(from_hz, to_hz)
        self._phases, self._step = to_hz // common, from_hz // common
        self._half = round(_HALF_SECONDS * from_hz)
        fractions = np.arange(self._phases) / self._phases
        taps = np.arange(-self._half, self._half + 1)
        self._kernels = _kernels((taps[None, :] - fractions[:, None]) / from_hz, from_hz, min(from_hz, to_hz))
        # The first output sample lies at the first input sample, so half a filter of silence comes before it.
        self._input: Signal = np.zeros(self._half)
        # Where the next output sample lies in `_input`, less half a filter, in input samples / phases.
        self._next = 0

    def convert(self, s16: bytes) -> bytes:
        """What became ready with these samples; the last 4 ms wait for the next piece."""
        # The arithmetic takes a filter's length of memory for each sample.
        pieces = (s16[at : at + _MOST_BYTES] for at in range(0, len(s16), _MOST_BYTES))
        return b"".join(map(self._convert_piece, pieces))

    def _convert_piece(self, s16: bytes) -> bytes:
        self._input = np.concatenate([self._input, np.frombuffer(s16, dtype="<i2")])
        ready = len(self._input) - 2 * self._half
        count = max(0, -(-(ready * self._phases - self._next) // self._step))
        if not count:
            return b""
        places, phases = np.divmod(self._next + np.arange(count) * self._step, self._phases)
        windows = np.lib.stride_tricks.sliding_window_view(self._input, 2 * self._half + 1)
        result = np.einsum("ij,ij->i", windows[places], self._kernels[phases])
        self._forget(self._next + count * self._step)
        return bytes(np.round(result).clip(-32768, 32767).astype("<i2"))

    def _forget(self, following: int) -> None:
        used, self._next = divmod(following, self._phases)
        used = min(used, len(self._input))
        self._next = following - used * self._phases
        self._input = self._input[used:]


def _kernels(at_seconds: Signal, from_hz: int, lower_hz: int) -> Signal:
    cut_off_hz = _CUT_OFF * lower_hz
    turn = np.clip(np.pi * at_seconds / (_HALF_SECONDS + 1 / from_hz), -np.pi, np.pi)
    blackman = 0.42 + 0.5 * np.cos(turn) + 0.08 * np.cos(2 * turn)
    band = 2 * cut_off_hz / from_hz * np.sinc(2 * cut_off_hz * at_seconds)
    kernels: Signal = band * blackman
    # The same gain for every phase, or a steady tone would carry their pattern.
    kernels /= kernels.sum(axis=1, keepdims=True)
    return kernels
