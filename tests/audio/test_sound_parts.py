"""What local sound is made of, without any device: buffer, level meter, resampler."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.audio.jitter_buffer import JitterBuffer
from firmware.audio.sound_level_meter import LevelMeter, is_clipped, loudness_range_db
from firmware.audio.sound_resampling import Resampler
from firmware.pcm import SILENT_DBFS
from tests.sound_judge import signal, speech, tone

SECOND = 16000


def test_meter_reads_a_tone_as_its_known_level() -> None:
    level = LevelMeter().feed(tone(1000, 1.0, peak=16384))
    assert level.peak_dbfs == pytest.approx(-6.02, abs=0.01)
    assert level.rms_dbfs == pytest.approx(-9.03, abs=0.01)
    assert not level.clipped


def test_peak_is_held_for_a_while_and_then_let_go() -> None:
    meter = LevelMeter()
    meter.feed(tone(1000, 0.1, peak=16384))
    quiet = tone(1000, 0.5, peak=1638)
    assert meter.feed(quiet).held_peak_dbfs == pytest.approx(-6.0, abs=0.1)
    for _ in range(3):
        level = meter.feed(quiet)
    assert level.held_peak_dbfs == level.peak_dbfs == pytest.approx(-26.0, abs=0.1)


def test_clip_flag_stays() -> None:
    meter = LevelMeter()
    assert meter.feed(tone(1000, 0.1, peak=32767)).clipped
    assert meter.feed(bytes(SECOND)).clipped


def test_meter_of_nothing_is_silent() -> None:
    level = LevelMeter().feed(b"")
    assert (level.rms_dbfs, level.peak_dbfs, level.clipped) == (SILENT_DBFS, SILENT_DBFS, False)
    assert not is_clipped(b"")


def test_speech_has_a_range_of_loudness_and_a_hum_has_none() -> None:
    assert loudness_range_db(speech()) > 20
    assert loudness_range_db(tone(100, 2.0)) < 1
    noise = np.random.default_rng(7).normal(0, 300, 2 * 8000).astype("<i2").tobytes()
    assert loudness_range_db(noise) < 3
    assert loudness_range_db(b"") == 0


def test_what_is_taken_beyond_what_was_brought_is_silence() -> None:
    buffer = JitterBuffer()
    buffer.bring(b"\1\0\2\0")
    assert not buffer.empty
    assert buffer.take(4) == b"\1\0\2\0\0\0\0\0"
    assert buffer.empty


def test_sound_after_a_pause_waits_for_the_cushion_and_then_has_no_holes() -> None:
    buffer = JitterBuffer(cushion_seconds=0.1)
    said, heard = tone(440, 0.5), b""
    # Brought 50 ms too late each time: the cushion bears it.
    for at in range(0, len(said), 800):
        buffer.bring(said[at : at + 800])
        heard += buffer.take(400 if at else 800)
    heard += buffer.take(2000)
    assert heard.index(said) == 1600


def test_too_much_costs_the_oldest() -> None:
    buffer = JitterBuffer(longest_seconds=0.5)
    said = tone(440, 2.0)
    buffer.bring(said)
    assert buffer.take(4000) == said[-8000:]


@pytest.mark.parametrize(("from_hz", "to_hz"), [(8000, 48000), (8000, 44100), (44100, 8000), (16000, 8000)])
def test_resampled_tone_is_the_same_tone(from_hz: int, to_hz: int) -> None:
    resampler = Resampler(from_hz, to_hz)
    converted = signal(resampler.convert(tone(1000, 0.5, rate_hz=from_hz) + bytes(from_hz // 50)))
    ideal = signal(tone(1000, 0.5, rate_hz=to_hz))
    middle = slice(to_hz // 50, len(ideal) - to_hz // 50)
    assert np.max(np.abs(converted[: len(ideal)] - ideal)[middle]) < 8


def test_what_a_telephone_cannot_carry_is_not_mirrored_into_its_band() -> None:
    heard = Resampler(48000, 8000).convert(tone(5500, 0.5, rate_hz=48000))
    assert np.max(np.abs(signal(heard[1600:-1600]))) <= 8


@given(cuts=st.lists(st.integers(0, 2000), max_size=12), rates=st.sampled_from([(8000, 44100), (48000, 8000)]))
def test_resampled_stream_has_no_seams(cuts: list[int], rates: tuple[int, int]) -> None:
    said = speech()[:8000]
    whole, pieces = Resampler(*rates), Resampler(*rates)
    borders = sorted({0, len(said), *(2 * cut for cut in cuts)})
    parts = [pieces.convert(said[start:end]) for start, end in pairwise(borders)]
    assert b"".join(parts) == whole.convert(said)
