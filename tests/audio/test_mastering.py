from __future__ import annotations

from array import array

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.audio.level import active_level_dbfs, peak_dbfs
from firmware.audio.mastering import Signal, master
from firmware.audio.synthesis import Speech
from firmware.errors import PromptError

RATES_HZ = [8000, 16000, 22050, 44100]


def tone(frequency_hz: float, rate_hz: int, seconds: float = 1.0, peak: float = 0.3) -> Signal:
    at = np.arange(int(seconds * rate_hz)) / rate_hz
    return peak * np.sin(2 * np.pi * frequency_hz * at)


def speech(signal: Signal, rate_hz: int) -> Speech:
    return Speech(rate_hz, array("h", np.round(signal * 32767).astype(np.int16).tolist()))


def samples(s16: bytes) -> Signal:
    return np.frombuffer(s16, "<i2").astype(np.float64) / 32768


def power_db_near(signal: Signal, frequency_hz: float) -> float:
    spectrum = np.abs(np.fft.rfft(signal * np.hanning(len(signal)))) ** 2
    at = round(frequency_hz * len(signal) / 8000)
    return float(10 * np.log10(spectrum[at - 5 : at + 6].sum() + 1e-12))


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("frequency_hz", [400, 1000, 3300])
def test_a_tone_keeps_its_pitch_at_8_khz(rate_hz: int, frequency_hz: int) -> None:
    result = samples(master(speech(tone(frequency_hz, rate_hz), rate_hz)))
    spectrum = np.abs(np.fft.rfft(result))
    assert np.argmax(spectrum) * 8000 / len(result) == pytest.approx(frequency_hz, abs=2)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_resampling_adds_no_noise_of_its_own(rate_hz: int) -> None:
    result = samples(master(speech(tone(3000, rate_hz, 2.0), rate_hz)))[2000:14000]
    spectrum = np.abs(np.fft.rfft(result * np.blackman(len(result)))) ** 2
    at = int(np.argmax(spectrum))
    inside = spectrum[at - 5 : at + 6].sum()
    assert 10 * np.log10(inside / (spectrum.sum() - inside)) > 50


@pytest.mark.parametrize("rate_hz", [16000, 22050])
@pytest.mark.parametrize("outside_hz", [60, 120, 3800, 5000, 6900])
def test_what_lies_outside_the_telephone_band_goes_and_does_not_fold_back(rate_hz: int, outside_hz: int) -> None:
    both = tone(1000, rate_hz) + tone(outside_hz, rate_hz)
    result = samples(master(speech(both, rate_hz)))
    folded_hz = outside_hz if outside_hz < 4000 else 8000 - outside_hz
    assert power_db_near(result, 1000) - power_db_near(result, folded_hz) > 40


@pytest.mark.parametrize("peak", [0.003, 0.1, 0.99])
def test_every_voice_comes_out_at_one_level(peak: float) -> None:
    s16 = master(speech(tone(700, 16000, peak=peak), 16000))
    assert active_level_dbfs(s16) == pytest.approx(-20, abs=0.3)


def test_sharp_peaks_are_bent_and_the_level_kept() -> None:
    generator = np.random.default_rng(7)
    pulses = generator.laplace(0, 0.02, 32000).clip(-0.9, 0.9)
    pulses[::800] = 0.95
    s16 = master(speech(pulses, 16000))
    assert peak_dbfs(s16) <= -6
    assert active_level_dbfs(s16) == pytest.approx(-20, abs=1)


@pytest.mark.parametrize("rate_hz", [16000, 22050])
def test_our_own_quiet_replaces_the_synthesisers(rate_hz: int) -> None:
    quiet = np.zeros(rate_hz)
    result = samples(master(speech(np.concatenate([quiet, tone(900, rate_hz), quiet]), rate_hz)))
    heard = np.flatnonzero(np.abs(result) > 0.01)
    assert heard[0] / 8000 == pytest.approx(0.05, abs=0.02)
    assert (len(result) - heard[-1]) / 8000 == pytest.approx(0.15, abs=0.02)
    assert np.abs(result[:16]).max() < 0.002
    assert np.abs(result[-16:]).max() < 0.002


def test_speech_without_any_quiet_gets_some() -> None:
    result = samples(master(speech(tone(900, 16000), 16000)))
    assert len(result) / 8000 == pytest.approx(1.2, abs=0.06)
    assert np.abs(result[:16]).max() < 0.002


def test_the_same_speech_gives_the_same_bytes() -> None:
    said = speech(tone(900, 22050), 22050)
    assert master(said) == master(said)


@pytest.mark.parametrize("length", [0, 1, 79, 8000])
def test_silence_is_told(length: int) -> None:
    with pytest.raises(PromptError, match="only silence"):
        master(Speech(16000, array("h", bytes(2 * length))))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(RATES_HZ), st.integers(1, 12000), st.floats(0.0001, 1.0))
def test_any_sound_gets_a_level_within_bounds_or_is_told(seed: int, rate_hz: int, length: int, peak: float) -> None:
    noise = np.random.default_rng(seed).uniform(-peak, peak, length)
    try:
        s16 = master(speech(noise, rate_hz))
    except PromptError:
        return
    assert peak_dbfs(s16) <= -6
    assert active_level_dbfs(s16) <= -18
