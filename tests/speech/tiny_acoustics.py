"""The ears of the tiny Vosk model: Kaldi's filter-bank features and a small network, trained on synthesised words.

It tells a handful of words apart when a known synthetic voice says them, which is what tests of the real engine need.
It says nothing about how people are understood.
"""

from __future__ import annotations

import subprocess
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]
Matrix = NDArray[np.float64]

RATE_HZ = 8000
MEL_BINS = 20
SPLICE_OFFSETS = (-6, -3, 0, 3, 6)
WORD_STATES = 5
GARBAGE = "[unk]"
VOICES = ("slt", "rms", "kal", "awb")

_FRAME, _SHIFT, _FFT = 200, 80, 256
_HIDDEN = 48
_OTHER_WORDS = ("banana", "window", "tomorrow", "seven", "purple", "a", "because", "holiday")


def speak(words: str, voice: str = "slt", stretch: float = 1.0) -> Samples:
    """What flite says, at 8 kHz on the scale of 16-bit samples, trimmed to where it sounds."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "said.wav"
        command = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch}", "-t", words, "-o", str(file)]
        subprocess.run(command, check=True, capture_output=True)
        with wave.open(str(file)) as sound:
            rate_hz = sound.getframerate()
            said = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(float)
    return _trimmed(_at_line_rate(said, rate_hz))


def features(samples: Samples) -> Matrix:
    """Log mel energies as Kaldi's `fbank` makes them without dither (feat/feature-fbank.cc, feature-window.cc)."""
    count = max(0, 1 + (len(samples) - _FRAME) // _SHIFT)
    index = np.arange(count)[:, None] * _SHIFT + np.arange(_FRAME)
    frames = samples[index]
    frames = frames - frames.mean(axis=1, keepdims=True)
    before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    frames = (frames - 0.97 * before) * _povey_window()
    power = np.abs(np.fft.rfft(frames, _FFT)) ** 2
    energies: Matrix = np.log(np.maximum(power @ _mel_filters().T, np.finfo(np.float32).eps))
    return energies


@dataclass(frozen=True)
class Network:
    """Two affine layers with a rectifier between them; output 0 is silence, then each word's states in turn."""

    first: Matrix
    first_bias: Samples
    second: Matrix
    second_bias: Samples


def train(words: Sequence[str], seed: int = 1) -> Network:
    """A network for silence, these words, and a garbage model of speech that is none of them."""
    chance = np.random.default_rng(seed)
    # Words matter more than what is none of them.
    said = [*words, *words, *(word for word in _OTHER_WORDS if word not in words)]
    examples = [_example(chance, words, word, voice) for _ in range(5) for word in said for voice in VOICES]
    inputs = np.concatenate([_spliced(features(sound)) for sound, _ in examples])
    targets = np.concatenate([labels for _, labels in examples])
    return _fit(chance, inputs, targets, outputs=2 + WORD_STATES * len(words))


def _example(
    chance: np.random.Generator, words: Sequence[str], word: str, voice: str
) -> tuple[Samples, NDArray[np.int64]]:
    """A word in a little silence at some level, and the network's answer for every frame."""
    said = speak(word, voice, stretch=float(chance.uniform(0.8, 1.25))) * 10 ** (chance.uniform(-18, 3) / 20)
    lead = int(chance.integers(1600, 4000))
    sound = np.concatenate([np.zeros(lead), said, np.zeros(3200)])
    noise = chance.choice([0.0, 1.0, 8.0, 30.0, 75.0])  # the last is that of 8-bit samples
    sound = np.round(sound + chance.normal(0, 1, len(sound)) * noise).clip(-32768, 32767)
    centres = np.arange(max(0, 1 + (len(sound) - _FRAME) // _SHIFT)) * _SHIFT + _FRAME // 2
    place = (centres - lead) / len(said)
    inside = (place >= 0) & (place < 1)
    if word in words:
        states = 1 + words.index(word) * WORD_STATES + (place * WORD_STATES).astype(int)
    else:
        states = np.full(len(centres), 1 + len(words) * WORD_STATES)
    return sound, np.where(inside, states, 0)


def _spliced(energies: Matrix) -> Matrix:
    rows = np.arange(len(energies))
    return np.concatenate([energies[(rows + offset).clip(0, len(energies) - 1)] for offset in SPLICE_OFFSETS], axis=1)


def _fit(chance: np.random.Generator, inputs: Matrix, targets: NDArray[np.int64], outputs: int) -> Network:
    """Gradient descent with Adam on the cross entropy."""
    mean, spread = inputs.mean(axis=0), inputs.std(axis=0)
    scaled = (inputs - mean) / spread
    layers = [
        chance.normal(0, 1 / np.sqrt(scaled.shape[1]), (_HIDDEN, scaled.shape[1])),
        np.zeros(_HIDDEN),
        chance.normal(0, 1 / np.sqrt(_HIDDEN), (outputs, _HIDDEN)),
        np.zeros(outputs),
    ]
    moments = [(np.zeros_like(layer), np.zeros_like(layer)) for layer in layers]
    step = 0
    for _ in range(20):
        for batch in np.array_split(chance.permutation(len(scaled)), len(scaled) // 128):
            step += 1
            _descend(layers, moments, _gradients(layers, scaled[batch], targets[batch]), step)
    first, first_bias, second, second_bias = layers
    return Network(first / spread, first_bias - first @ (mean / spread), second, second_bias)


def _gradients(layers: list[Matrix], inputs: Matrix, targets: NDArray[np.int64]) -> list[Matrix]:
    first, first_bias, second, second_bias = layers
    hidden = np.maximum(inputs @ first.T + first_bias, 0)
    scores = hidden @ second.T + second_bias
    answer = np.exp(scores - scores.max(axis=1, keepdims=True))
    answer /= answer.sum(axis=1, keepdims=True)
    answer[np.arange(len(targets)), targets] -= 1
    answer /= len(targets)
    back = (answer @ second) * (hidden > 0)
    return [back.T @ inputs, back.sum(axis=0), answer.T @ hidden, answer.sum(axis=0)]


def _descend(
    layers: list[Matrix], moments: list[tuple[Matrix, Matrix]], gradients: list[Matrix], step: int, rate: float = 0.003
) -> None:
    for layer, (mean, square), gradient in zip(layers, moments, gradients, strict=True):
        mean += 0.1 * (gradient - mean)
        square += 0.001 * (gradient**2 - square)
        layer -= rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)


def _at_line_rate(samples: Samples, rate_hz: int) -> Samples:
    """Resampled in the frequency domain: exact enough, and needs no filter design."""
    spectrum = np.fft.rfft(samples)
    target = len(samples) * RATE_HZ // rate_hz
    kept: Samples = np.fft.irfft(spectrum[: target // 2 + 1], target) * (target / len(samples))
    return kept


def _trimmed(samples: Samples) -> Samples:
    loud = np.flatnonzero(np.abs(samples) > 0.02 * np.abs(samples).max())
    return samples[loud[0] : loud[-1] + 1]


def _povey_window() -> Samples:
    window: Samples = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FRAME) / (_FRAME - 1))) ** 0.85
    return window


def _mel(hz: Samples | float) -> Samples:
    mel: Samples = 1127 * np.log1p(np.asarray(hz) / 700)
    return mel


def _mel_filters() -> Matrix:
    edges = np.linspace(_mel(20.0), _mel(RATE_HZ / 2), MEL_BINS + 2)
    bins = _mel(np.arange(_FFT // 2 + 1) * RATE_HZ / _FFT)
    left, centre, right = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    filters: Matrix = np.minimum((bins - left) / (centre - left), (right - bins) / (right - centre)).clip(0)
    filters[:, -1] = 0  # Kaldi leaves the Nyquist bin out
    return filters
