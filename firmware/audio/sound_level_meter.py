"""A level meter as on a recorder: how loud it is, how loud it was, and whether it was too loud. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from firmware.audio.level import peak_dbfs
from firmware.pcm import SILENT_DBFS, SampleFormat, level_dbfs, to_array
from firmware.units import SAMPLE_RATE_HZ, seconds_to_samples

# Long enough to be read; the usual time of peak programme meters with hold.
_HOLD_SECONDS = 1.5
_LARGEST, _SMALLEST = 32767, -32768


@dataclass(frozen=True, slots=True)
class Level:
    """What the meter shows, in dB against full scale. `clipped` stays once any sample was at the end of the scale."""

    rms_dbfs: float
    peak_dbfs: float
    held_peak_dbfs: float
    clipped: bool


class LevelMeter:
    """Is fed s16 as it comes. It has no clock: it counts samples."""

    def __init__(self) -> None:
        self._held_dbfs = SILENT_DBFS
        self._held_samples = 0
        self._clipped = False

    def feed(self, s16: bytes) -> Level:
        """The level of the next samples, in pieces of any length."""
        peak = peak_dbfs(s16)
        self._hold(peak, len(s16) // 2)
        self._clipped = self._clipped or is_clipped(s16)
        return Level(level_dbfs(s16, SampleFormat.S16), peak, self._held_dbfs, self._clipped)

    def _hold(self, peak: float, samples: int) -> None:
        self._held_samples += samples
        if peak >= self._held_dbfs or self._held_samples > seconds_to_samples(_HOLD_SECONDS):
            self._held_dbfs = peak
            self._held_samples = 0


def is_clipped(s16: bytes) -> bool:
    """Whether any sample is at the end of the scale: louder sound would have looked the same."""
    samples = to_array(s16)
    return bool(samples) and (max(samples) >= _LARGEST or min(samples) <= _SMALLEST)


def loudness_range_db(s16: bytes) -> float:
    """Between the quietest and the loudest tenth of the frames of 50 ms: wide for speech, narrow for a steady noise."""
    frame_bytes = 2 * SAMPLE_RATE_HZ // 20
    frames = [s16[at : at + frame_bytes] for at in range(0, len(s16) - frame_bytes + 1, frame_bytes)]
    levels = sorted(level_dbfs(frame, SampleFormat.S16) for frame in frames)
    if not levels:
        return 0.0
    tenth = math.ceil(len(levels) / 10)
    return levels[-tenth] - levels[tenth - 1]
