"""From any speech to a prompt for the line: rate, band, level, ends. Needs numpy, so no call ever uses it.

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
# A person's recording has the noise of a room around it: speech there is this much above its quietest tenth, and what
# is this far below the loudest counts as speech whatever the room. A shorter noise at the edge is a key or a switch.
_ABOVE_ROOM_DB, _SURE_SPEECH_DB, _SHORTEST_SPEECH_FRAMES = 10.0, 26.0, 3
# Soft sounds that begin or end a word hide in the noise; so much around it may be one.
_SOFT_FRAMES_BEFORE, _SOFT_FRAMES_AFTER = 4, 8
# Where the limiter begins to bend, as a share of the ceiling.
_KNEE = 0.6


def master(speech: Speech) -> bytes:
    """The prompt as s16, from a synthesiser. Raises: PromptError when there is nothing to hear."""
    return master_signal(np.asarray(speech.samples, dtype=np.float64) / _FULL_SCALE, speech.rate_hz)


def master_signal(signal: Signal, rate_hz: int, *, in_a_room: bool = False) -> bytes:
    """The prompt as s16, from mono samples; `in_a_room` for a person's, with noise around the speech.

    Raises: PromptError when there is nothing to hear.
    """
    telephone = _to_telephone_band(signal, rate_hz)
    powers = _frame_powers(telephone)
    first, after_last = _speech_in_a_room(powers) if in_a_room else _speech(powers)
    return _to_s16(_set_level(_fade(_cut(telephone, first, after_last))))


def active_level_of(signal: Signal, rate_hz: int) -> float:
    """The active speech level of what the telephone carries of it, in dBFS, before anything is done about it."""
    return active_level_dbfs(_to_s16(_to_telephone_band(signal, rate_hz)))


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


def _frame_powers(signal: Signal) -> Signal:
    frames = len(signal) // _FRAME_SAMPLES
    powers: Signal = (signal[: frames * _FRAME_SAMPLES].reshape(frames, _FRAME_SAMPLES) ** 2).mean(axis=1)
    if not powers.any():
        raise PromptError("it holds only silence")
    return powers


def _speech(powers: Signal) -> tuple[int, int]:
    """The first frame of speech, and the one after the last."""
    speaking = np.flatnonzero(powers >= powers.max() * 10 ** (-_SPEECH_RANGE_DB / 10))
    return int(speaking[0]), int(speaking[-1]) + 1


def _speech_in_a_room(powers: Signal) -> tuple[int, int]:
    lowest, highest = (powers.max() * 10 ** (-below / 10) for below in (_SPEECH_RANGE_DB, _SURE_SPEECH_DB))
    threshold = np.clip(np.quantile(powers, 0.1) * 10 ** (_ABOVE_ROOM_DB / 10), lowest, highest)
    # The frames that begin a long enough run of loud ones.
    runs = np.convolve(powers >= threshold, np.ones(_SHORTEST_SPEECH_FRAMES), "valid") == _SHORTEST_SPEECH_FRAMES
    if not runs.any():
        return _speech(powers)
    speaking = np.flatnonzero(runs)
    first, after_last = int(speaking[0]), int(speaking[-1]) + _SHORTEST_SPEECH_FRAMES
    return max(0, first - _SOFT_FRAMES_BEFORE), min(len(powers), after_last + _SOFT_FRAMES_AFTER)


def _cut(signal: Signal, first_frame: int, after_last_frame: int) -> Signal:
    """Speech with our own lengths of quiet around it."""
    head, tail = seconds_to_samples(HEAD_SECONDS), seconds_to_samples(TAIL_SECONDS)
    padded = np.concatenate([np.zeros(head), signal, np.zeros(tail + _FRAME_SAMPLES)])
    return padded[first_frame * _FRAME_SAMPLES : after_last_frame * _FRAME_SAMPLES + head + tail]


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
            raise PromptError("it holds only silence")
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
