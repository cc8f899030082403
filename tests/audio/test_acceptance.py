from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.audio.acceptance import accept, accept_s16
from firmware.audio.mastering import Signal
from firmware.audio.sound_rules import sample_problems
from firmware.errors import PromptError

Speech = Callable[..., bytes]


def in_a_room(s16: bytes, noise_dbfs: float) -> Signal:
    """The same with the steady noise of a room, also for a second before and after it."""
    signal = np.concatenate([np.zeros(8000), np.frombuffer(s16, "<i2") / 32768, np.zeros(8000)])
    result: Signal = signal + np.random.default_rng(3).normal(0, 10 ** (noise_dbfs / 20), len(signal))
    return result


@pytest.mark.parametrize("level_dbfs", [-50.0, -35.0, -20.0, -12.0])
def test_a_take_of_any_usual_level_comes_out_fit(speech: Speech, level_dbfs: float) -> None:
    fit = accept_s16(speech(2.0, level_dbfs), 8000)
    assert list(sample_problems(fit)) == []
    assert len(fit) / 16000 == pytest.approx(2.0, abs=0.3)


@pytest.mark.parametrize("noise_dbfs", [-75.0, -60.0, -50.0])
def test_the_room_around_speech_is_cut_off(speech: Speech, noise_dbfs: float) -> None:
    fit = accept(in_a_room(speech(2.0), noise_dbfs), 8000)
    assert len(fit) / 16000 == pytest.approx(2.1, abs=0.3)
    assert list(sample_problems(fit)) == []


def test_soft_sounds_at_the_ends_of_words_stay() -> None:
    at = np.arange(8000) / 8000
    vowel, hiss = 0.3 * np.sin(2 * np.pi * 500 * at), np.random.default_rng(4).normal(0, 0.01, 640)
    quiet = np.zeros(8000)
    fit = np.frombuffer(accept(np.concatenate([quiet, hiss, vowel, hiss, quiet]), 8000), "<i2")
    with_our_own_quiet = 0.05 + 0.08 + 1.0 + 0.08 + 0.15
    assert with_our_own_quiet - 0.02 < len(fit) / 8000 < with_our_own_quiet + 0.15


def test_a_few_samples_at_the_end_of_the_scale_are_forgiven(speech: Speech) -> None:
    s16 = bytearray(speech(2.0))
    s16[16000:16006] = b"\xff\x7f" * 3
    assert accept_s16(bytes(s16), 8000)


@pytest.mark.parametrize(
    ("s16", "rate_hz", "reason"),
    [
        (b"\1\2\3", 8000, "ends within a sample"),
        (bytes(2), 8000, "next to nothing in it"),
        (bytes(32000), 8000, "next to nothing to hear"),
        (b"\xff\x7f" * 4000 + b"\0\x80" * 4000, 8000, "it is clipped"),
        (bytes(2 * 8000 * 61), 8000, "longer than 60 s"),
        (bytes(32000), 0, "has 0 samples/s"),
        (bytes(32000), -8000, "samples/s"),
        (bytes(32000), 2**31, "samples/s"),
    ],
)
def test_what_callers_would_not_understand_is_refused(s16: bytes, rate_hz: int, reason: str) -> None:
    with pytest.raises(PromptError, match=reason):
        accept_s16(s16, rate_hz)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    rate_hz=st.sampled_from([8000, 11025, 16000, 44100]),
    length=st.integers(0, 20000),
    peak=st.floats(0, 2),
    bursts=st.integers(1, 40),
)
def test_any_sound_is_fit_afterwards_or_refused(seed: int, rate_hz: int, length: int, peak: float, bursts: int) -> None:
    noise = np.random.default_rng(seed).uniform(-peak, peak, length)
    noise *= np.arange(length) * bursts // max(length, 1) % 2
    try:
        fit = accept(noise, rate_hz)
    except PromptError:
        return
    assert list(sample_problems(fit)) == []
