"""Whether sound that a person made can become a prompt, and what to do where it cannot. Needs numpy."""

from __future__ import annotations

import numpy as np

from firmware.audio.mastering import Signal, active_level_of, master_signal
from firmware.audio.sound_rules import sample_problems
from firmware.errors import PromptError

# What the telephone carries needs 8000 samples/s; more than any sound card gives is a broken header.
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 8_000, 384_000
# Before the quiet around it is cut off; somebody who reads out a prompt needs no longer.
LONGEST_TAKE_SECONDS = 60.0
_SHORTEST_TAKE_SECONDS = 0.1
# A microphone that was not switched on hears about this.
_QUIETEST_DBFS = -55.0
# Three samples in a row at the end of the scale are no chance; a few of them nobody hears.
_FULL, _FLAT_SAMPLES, _MOST_FLAT = 0.999, 3, 0.001
_S16_FULL_SCALE = 32768.0


def accept_s16(samples_s16: bytes, rate_hz: int) -> bytes:
    """As `accept`, from the samples of a sound card."""
    if len(samples_s16) % 2:
        raise PromptError("it ends within a sample; record it again")
    return accept(np.frombuffer(samples_s16, "<i2").astype(np.float64) / _S16_FULL_SCALE, rate_hz)


def accept(signal: Signal, rate_hz: int) -> bytes:
    """The mastered prompt as s16 at 8 kHz, which passes `check`.

    Mono, full scale is 1. Raises: PromptError with what is wrong and what to do, as the end of a sentence about it.
    """
    _refuse_length(len(signal), rate_hz)
    _refuse_sound(signal, rate_hz)
    s16 = master_signal(signal, rate_hz, in_a_room=True)
    problems = list(sample_problems(s16))
    if problems:
        raise PromptError("; ".join(problems))
    return s16


def _refuse_length(samples: int, rate_hz: int) -> None:
    if not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        raise PromptError(f"it has {rate_hz} samples/s; save it with {LOWEST_RATE_HZ} to {HIGHEST_RATE_HZ}")
    seconds = samples / rate_hz
    if seconds < _SHORTEST_TAKE_SECONDS:
        raise PromptError("there is next to nothing in it; record it again")
    if seconds > LONGEST_TAKE_SECONDS:
        raise PromptError(f"it lasts longer than {LONGEST_TAKE_SECONDS:.0f} s; cut out the prompt alone")


def _refuse_sound(signal: Signal, rate_hz: int) -> None:
    if not np.isfinite(signal).all():
        raise PromptError("some of its samples are not numbers; save it again as a 16-bit WAV")
    if _is_clipped(signal):
        raise PromptError("it is clipped; record it again, further from the microphone or with less gain")
    if active_level_of(signal, rate_hz) < _QUIETEST_DBFS:
        raise PromptError("there is next to nothing to hear; record it again, nearer to the microphone")


def _is_clipped(signal: Signal) -> bool:
    at_the_end = (np.abs(signal) >= _FULL).astype(np.int64)
    flat = np.convolve(at_the_end, np.ones(_FLAT_SAMPLES, np.int64), "valid") == _FLAT_SAMPLES
    return bool(flat.mean() > _MOST_FLAT)
