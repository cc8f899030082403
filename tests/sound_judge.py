"""Judges of what was heard, independent of the product's own code."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import firmware
from firmware.wav import parse

RATE_HZ = 8000
SPEECH_WAV = Path(firmware.__file__).parent / "simulation" / "speech" / "invoice-en.wav"


def speech() -> bytes:
    """Two seconds of a person at 8 kHz."""
    return parse(SPEECH_WAV.read_bytes()).data[: 4 * RATE_HZ]


def tone(frequency_hz: float, seconds: float, peak: int = 8000, rate_hz: int = RATE_HZ) -> bytes:
    """A sine as s16; a peak beyond the scale clips."""
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    return bytes(np.round(peak * np.sin(2 * np.pi * frequency_hz * at)).clip(-32768, 32767).astype("<i2"))


def signal(s16: bytes) -> NDArray[np.float64]:
    """The samples as numbers."""
    return np.frombuffer(s16, "<i2").astype(np.float64)


def sounding(s16: bytes, above: int = 50) -> bytes:
    """What lies between the first and the last sample that is no silence."""
    loud = np.flatnonzero(np.abs(signal(s16)) > above)
    return s16[2 * loud[0] : 2 * loud[-1] + 2] if len(loud) else b""


def frequency_hz(s16: bytes) -> float:
    """Of the strongest part."""
    heard = signal(s16)
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    return float(np.argmax(spectrum)) * RATE_HZ / len(heard)


def rms_dbfs(s16: bytes) -> float:
    """Level against full scale."""
    return 20 * math.log10(float(np.sqrt(np.mean(signal(s16) ** 2))) / 32768)


def likeness(heard: bytes, said: bytes) -> float:
    """How much of `said` stands somewhere in `heard`, in one piece and undistorted: 1 is all of it, at any level."""
    long, short = signal(heard), signal(said)
    if len(long) < len(short):
        long = np.concatenate([long, np.zeros(len(short) - len(long))])
    size = 1 << (len(long) + len(short)).bit_length()
    products = np.fft.irfft(np.fft.rfft(long, size) * np.conj(np.fft.rfft(short, size)), size)
    products = products[: len(long) - len(short) + 1]
    energies = np.cumsum(np.concatenate([[0.0], long**2]))
    energy = energies[len(short) :] - energies[: -len(short)]
    scale = np.sqrt(np.maximum(energy, 1.0) * np.sum(short**2))
    return float(np.max(products / scale))
