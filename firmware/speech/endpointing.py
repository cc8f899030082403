"""Where the words of an answer begin and end, on telephone audio. Pure and incremental: it counts samples.

Levels of short frames are compared with a noise floor that falls at once and rises slowly, so that steady noise is
learnt and words are not. Figures of it are in tests/speech/test_endpointing.py.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from operator import mul

from firmware.pcm import SILENT_DBFS, to_array
from firmware.units import seconds_to_samples

FRAME_SAMPLES = 160
_FRAME_SECONDS = 0.02
_FULL_SCALE_POWER = 32768.0**2

# Noise that flickers in the last bit of 8-bit samples reaches -48 dBFS (half a step of 256); words lie above it.
_QUIETEST_WORDS_DBFS = -46.0
# At first nothing is known of the line. What is louder than this is taken for words that began before we listened.
_LOUDEST_FLOOR_DBFS = -26.0
_QUIETEST_FLOOR_DBFS = -60.0
_FIRST_FRAMES = 5
_FLOOR_FALLS = 0.3
_FLOOR_RISES_DB = 5.0 * _FRAME_SECONDS
# Levels of 20 ms of white noise scatter by 0.5 dB; these are far above, and words at 10 dB SNR still pass.
_BEGIN_ABOVE_FLOOR_DB = 6.0
_GO_ON_ABOVE_FLOOR_DB = 4.5
# A click or a crack of the line fills at most three frames; the shortest word fills more.
_BEGIN_WINDOW_FRAMES = 7
_BEGIN_FRAMES = 4
_GO_ON_WINDOW_FRAMES = 6
_GO_ON_FRAMES = 4


@dataclass(frozen=True, slots=True)
class WordsBegan:
    """Somebody speaks; `sample` is where that began."""

    sample: int


@dataclass(frozen=True, slots=True)
class WordsEnded:
    """The answer is over; `sample` is where its last word ended, as far as levels tell."""

    sample: int


class Endpointer:
    """Finds one answer. After its end it hears nothing any more."""

    def __init__(self, end_silence_seconds: float, longest_seconds: float) -> None:
        self._end_silence_samples = seconds_to_samples(end_silence_seconds)
        self._longest_samples = seconds_to_samples(longest_seconds)
        self._rest = b""
        self._heard_samples = 0
        self._floor_dbfs: float | None = None
        self._first_levels: list[float] = []
        self._recent: deque[bool] = deque(maxlen=_BEGIN_WINDOW_FRAMES)
        self._began: int | None = None
        self._last_words = 0
        self._over = False

    @property
    def over(self) -> bool:
        """Whether the end was found."""
        return self._over

    @property
    def longest_doubt_samples(self) -> int:
        """How far back the beginning of words can lie when it is told."""
        return (_BEGIN_WINDOW_FRAMES + 1) * FRAME_SAMPLES

    def hear(self, s16: bytes) -> list[WordsBegan | WordsEnded]:
        """The next samples, in pieces of any length; what they made certain."""
        samples = self._rest + s16
        found: list[WordsBegan | WordsEnded] = []
        step = 2 * FRAME_SAMPLES
        whole = len(samples) - len(samples) % step
        for at in range(0, whole, step):
            if self._over:
                break
            found += self._judge(frame_dbfs(samples[at : at + step]))
        self._rest = samples[whole:]
        return found

    def _judge(self, level_dbfs: float) -> list[WordsBegan | WordsEnded]:
        self._heard_samples += FRAME_SAMPLES
        self._learn(level_dbfs)
        if self._floor_dbfs is None:
            return []
        margin_db = _BEGIN_ABOVE_FLOOR_DB if self._began is None else _GO_ON_ABOVE_FLOOR_DB
        self._recent.append(level_dbfs > max(self._floor_dbfs + margin_db, _QUIETEST_WORDS_DBFS))
        return self._wait_for_words() if self._began is None else self._wait_for_silence(self._began)

    def _learn(self, level_dbfs: float) -> None:
        if self._floor_dbfs is None:
            self._first_levels.append(level_dbfs)
            if len(self._first_levels) == _FIRST_FRAMES:
                self._floor_dbfs = min(*self._first_levels, _LOUDEST_FLOOR_DBFS)
        elif level_dbfs < self._floor_dbfs:
            lower_dbfs = max(level_dbfs, _QUIETEST_FLOOR_DBFS)
            self._floor_dbfs += _FLOOR_FALLS * (lower_dbfs - self._floor_dbfs)
        else:
            self._floor_dbfs = min(self._floor_dbfs + _FLOOR_RISES_DB, level_dbfs)

    def _wait_for_words(self) -> list[WordsBegan | WordsEnded]:
        if sum(self._recent) < _BEGIN_FRAMES:
            return []
        first = list(self._recent).index(True)
        self._began = self._heard_samples - (len(self._recent) - first) * FRAME_SAMPLES
        self._last_words = self._heard_samples
        return [WordsBegan(self._began)]

    def _wait_for_silence(self, began: int) -> list[WordsBegan | WordsEnded]:
        if self._recent[-1] and sum(list(self._recent)[-_GO_ON_WINDOW_FRAMES:]) >= _GO_ON_FRAMES:
            self._last_words = self._heard_samples
        silent = self._heard_samples - self._last_words >= self._end_silence_samples
        if not silent and self._heard_samples - began < self._longest_samples:
            return []
        self._over = True
        return [WordsEnded(self._last_words)]


def frame_dbfs(s16: bytes) -> float:
    """RMS level against full scale, without the constant part that cheap converters add."""
    samples = to_array(s16)
    mean = sum(samples) / len(samples)
    power = sum(map(mul, samples, samples)) / len(samples) - mean * mean
    return 10 * math.log10(power / _FULL_SCALE_POWER) if power > 0 else SILENT_DBFS
