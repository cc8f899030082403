"""An answer made ready for pocketsphinx: trimmed to its words, at an even level, with silence around. Worker only."""

from __future__ import annotations

import numpy as np

from firmware.speech.endpointing import Endpointer, WordsBegan
from firmware.units import seconds_to_samples

# Exact zeros in place of the line's noise, and an even level, were worth 7 words in 100 (docs/speech.md).
_AROUND_SAMPLES = seconds_to_samples(0.3)
_KEPT_SAMPLES = seconds_to_samples(0.15)
_PEAK = 12_000
# Nothing is cut off in here: the end of the words was found already.
_NEVER_SECONDS = 3600.0


def prepare(s16: bytes) -> bytes:
    """8 kHz samples of one answer, with some line noise before and after it; empty where no words are in it."""
    samples = np.frombuffer(s16, "<i2").astype(np.float64)
    began, ended = _words(s16)
    if ended <= began:
        return b""
    loudest = float(np.max(np.abs(samples[began:ended])))
    kept = samples[max(0, began - _KEPT_SAMPLES) : ended + _KEPT_SAMPLES] * (_PEAK / max(loudest, 1.0))
    silence = np.zeros(_AROUND_SAMPLES)
    return np.concatenate([silence, kept, silence]).clip(-32768, 32767).astype("<i2").tobytes()


def _words(s16: bytes) -> tuple[int, int]:
    """Where the words begin and end, as sample numbers."""
    # A second of silence ends what is spoken to the last sample.
    endpointer = Endpointer(0.2, _NEVER_SECONDS)
    began, ended = 0, 0
    rest = s16 + bytes(2 * seconds_to_samples(1.0))
    for found in endpointer.hear(rest):
        if isinstance(found, WordsBegan):
            began = found.sample
        else:
            ended = found.sample
    return began, min(ended, len(s16) // 2)
