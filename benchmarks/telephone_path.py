"""Recordings as a modem would deliver them: level, band, noise, 8 bits, and silence around."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware.pcm import SampleFormat, decode_to_s16, encode_s16
from firmware.units import SAMPLE_RATE_HZ, seconds_to_samples

Samples = NDArray[np.float64]

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
RECORDINGS = Path(__file__).resolve().parents[2] / "shared" / "data" / "spoken-digits"
"""600 recordings of the Free Spoken Digit Dataset (CC BY-SA 4.0), which are no part of this project."""

# Speakers differ by 23 dB in the recordings; exchange and modem (+VGR) bring real calls to much the same level.
_SPEECH_RMS = 3277.0  # -20 dBFS
_LOUDEST = 30_000.0
_BEFORE_SECONDS, _AFTER_SECONDS = 1.5, 2.0
_LOW_HZ, _HIGH_HZ = 300.0, 3400.0
_LINE_NOISE = 6.0  # -75 dBFS, under the steps of 8 bits


def telephone(
    speech: NDArray[Any], sample_format: SampleFormat = SampleFormat.ULAW, snr_db: float | None = None, seed: int = 0
) -> bytes:
    """8 kHz samples through the telephone, as s16. White noise at `snr_db` to the speech lies over the whole call."""
    chance = np.random.default_rng(seed)
    level = float(np.sqrt(np.mean(speech**2))) or 1.0
    said = speech * (_SPEECH_RMS / level if speech.any() else 1.0)
    said *= min(1.0, _LOUDEST / max(1.0, float(np.abs(said).max())))
    call = np.concatenate(
        [np.zeros(seconds_to_samples(_BEFORE_SECONDS)), said, np.zeros(seconds_to_samples(_AFTER_SECONDS))]
    )
    if snr_db is not None:
        call = call + chance.normal(0, np.sqrt(np.mean(said**2) / 10 ** (snr_db / 10)), len(call))
    call = _band(call) + chance.normal(0, _LINE_NOISE, len(call))
    s16 = call.clip(-32768, 32767).astype("<i2").tobytes()
    return decode_to_s16(encode_s16(s16, sample_format), sample_format)


def _band(samples: Samples) -> Samples:
    """24 dB an octave below 300 Hz, steep above 3400 Hz."""
    hz = np.maximum(np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE_HZ), 1.0)
    gain = 1 / np.sqrt((1 + (_LOW_HZ / hz) ** 8) * (1 + (hz / _HIGH_HZ) ** 24))
    return np.asarray(np.fft.irfft(np.fft.rfft(samples) * gain, len(samples)), dtype=np.float64)
