"""From a synthesiser's sound to a prompt for the line: rate, band, level, ends. Needs numpy, so only the build uses it.

Deterministic: the same samples in give the same bytes out.
"""

from __future__ import annotations

from math import gcd

import numpy as np
from numpy.typing import NDArray

from firmware.audio.level import active_level_dbfs
from firmware.audio.synthesis import Speech
from firmware.errors import PromptError
from firmware.pcm import SILENT_DBFS
from firmware.units import SAMPLE_RATE_HZ, seconds_to_samples

Signal = NDArray[np.float64]
"""Samples where full scale is 1."""

TARGET_DBFS = -20.0
"""Active speech level. Even between prompts and languages, and far enough down for keys to be heard through it."""
CEILING_DBFS = -6.2
HEAD_SECONDS, TAIL_SECONDS = 0.05, 0.15

_FULL_SCALE = 32768.0
# The telephone band; the modem and the line cut the rest anyway, each in its own way.
_LOW_HZ, _HIGH_HZ = 300.0, 3400.0
# Half of the filter's impulse response. With a Blackman window (transition 5.5 / length) that is about 140 Hz wide.
_FILTER_HALF_SECONDS = 0.02
# Below the loudest 10 ms, less than this is speech: it keeps soft s and f sounds at the ends.
_SPEECH_RANGE_DB = 42.0
_FRAME_SAMPLES = SAMPLE_RATE_HZ // 100
_FADE_IN_SECONDS, _FADE_OUT_SECONDS = 0.01, 0.04
# Where the limiter begins to bend, as a share of the ceiling.
_KNEE = 0.6


def master(speech: Speech) -> bytes:
    """The prompt as s16. Raises: PromptError when there is nothing to hear."""
    raw = np.asarray(speech.samples, dtype=np.float64) / _FULL_SCALE
    signal = _trim(_to_telephone_band(raw, speech.rate_hz))
    return _to_s16(_set_level(_fade(signal)))


def _to_telephone_band(signal: Signal, rate_hz: int) -> Signal:
    """Resample and band-limit in one step: a windowed band-pass, computed at each output sample's own instant."""
    common = gcd(rate_hz, SAMPLE_RATE_HZ)
    phases, step = SAMPLE_RATE_HZ // common, rate_hz // common
    half = int(_FILTER_HALF_SECONDS * rate_hz)
    length = len(signal) * phases // step
    padded = np.concatenate([np.zeros(half), signal, np.zeros(half + step)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    result = np.zeros(length)
    for phase in range(phases):
        # Output sample n lies at input instant n * step / phases: those of one phase are `step` apart, with one kernel.
        first, fraction = divmod(phase * step, phases)
        count = len(result[phase::phases])
        kernel = _kernel(half, rate_hz, fraction / phases)
        result[phase::phases] = np.einsum("ij,j->i", windows[first::step][:count], kernel)
    return result


def _kernel(half: int, rate_hz: int, fraction: float) -> Signal:
    at = (np.arange(-half, half + 1) - fraction) / rate_hz
    band = 2 * _HIGH_HZ * np.sinc(2 * _HIGH_HZ * at) - 2 * _LOW_HZ * np.sinc(2 * _LOW_HZ * at)
    turn = np.pi * at * rate_hz / (half + 1)
    blackman = 0.42 + 0.5 * np.cos(turn) + 0.08 * np.cos(2 * turn)
    kernel: Signal = band * blackman / rate_hz
    return kernel


def _trim(signal: Signal) -> Signal:
    """Speech with our own lengths of quiet around it."""
    frames = len(signal) // _FRAME_SAMPLES
    powers = (signal[: frames * _FRAME_SAMPLES].reshape(frames, _FRAME_SAMPLES) ** 2).mean(axis=1)
    if not powers.any():
        raise PromptError("the synthesiser wrote only silence")
    speaking = np.flatnonzero(powers >= powers.max() * 10 ** (-_SPEECH_RANGE_DB / 10))
    head, tail = seconds_to_samples(HEAD_SECONDS), seconds_to_samples(TAIL_SECONDS)
    padded = np.concatenate([np.zeros(head), signal, np.zeros(tail + _FRAME_SAMPLES)])
    first, after_last = int(speaking[0]) * _FRAME_SAMPLES, (int(speaking[-1]) + 1) * _FRAME_SAMPLES
    return padded[first : after_last + head + tail]


def _fade(signal: Signal) -> Signal:
    rise, fall = seconds_to_samples(_FADE_IN_SECONDS), seconds_to_samples(_FADE_OUT_SECONDS)
    faded = signal.copy()
    faded[:rise] *= np.sin(np.linspace(0, np.pi / 2, rise)) ** 2
    faded[-fall:] *= np.cos(np.linspace(0, np.pi / 2, fall)) ** 2
    return faded


def _set_level(signal: Signal) -> Signal:
    """To the target level; peaks are bent below the ceiling, and what that takes away is made up for."""
    signal = signal / np.abs(signal).max() / 2
    shaped = signal
    gain_db = 0.0
    for _ in range(4):
        level = active_level_dbfs(_to_s16(shaped))
        if level == SILENT_DBFS:
            raise PromptError("the synthesiser wrote only silence")
        gain_db += TARGET_DBFS - level
        shaped = _limit(signal * 10 ** (gain_db / 20))
    return shaped


def _limit(signal: Signal) -> Signal:
    ceiling = 10 ** (CEILING_DBFS / 20)
    knee, room = ceiling * _KNEE, ceiling * (1 - _KNEE)
    size = np.abs(signal)
    bent = knee + room * np.tanh((size - knee) / room)
    limited: Signal = np.where(size > knee, np.sign(signal) * bent, signal)
    return limited


def _to_s16(signal: Signal) -> bytes:
    return np.round(signal * _FULL_SCALE).clip(-32768, 32767).astype("<i2").tobytes()
