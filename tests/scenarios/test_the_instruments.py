"""What the scenarios and figures stand on: damage must be found and a delay measured before either is believed."""

from __future__ import annotations

import random

import pytest

from benchmarks.figure import percentile
from benchmarks.many_calls.speech import find_speech, unique_speech
from benchmarks.traffic import TrafficLog
from firmware.pcm import SampleFormat, encode_s16
from firmware.simulation.modem.outlet import Direction
from firmware.units import SAMPLE_RATE_HZ

SPEECH = unique_speech(3.0, random.Random(1))


@pytest.mark.parametrize("sample_format", [SampleFormat.U8, SampleFormat.ULAW, SampleFormat.S16])
def test_speech_is_found_whole_and_cut_at_either_end(sample_format: SampleFormat) -> None:
    data = encode_s16(SPEECH, sample_format)
    width = sample_format.sample_bytes
    silence = sample_format.silence * 1000
    whole = find_speech(SPEECH, silence + data + silence, sample_format)
    assert whole is not None
    assert (whole.spoken_from, whole.samples, whole.recorded_from) == (0, 3 * SAMPLE_RATE_HZ, 1000)
    cut = find_speech(SPEECH, data[500 * width : -700 * width], sample_format)
    assert cut is not None
    assert (cut.spoken_from, cut.samples) == (500, 3 * SAMPLE_RATE_HZ - 1200)


@pytest.mark.parametrize("at", [200, 11_111, 23_000])
def test_a_single_lost_added_or_changed_sample_is_seen(at: int) -> None:
    data = encode_s16(SPEECH, SampleFormat.U8)
    damaged = (
        data[:at] + data[at + 1 :],
        data[:at] + data[at : at + 1] + data[at:],
        data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :],
    )
    for recorded in damaged:
        assert find_speech(SPEECH, bytes(8000) + recorded + bytes(8000), SampleFormat.U8) is None


def test_other_speech_is_not_taken_for_it() -> None:
    other = encode_s16(unique_speech(3.0, random.Random(2)), SampleFormat.U8)
    assert find_speech(SPEECH, other, SampleFormat.U8) is None


def test_delays_are_read_from_the_traffic() -> None:
    log = TrafficLog()
    for direction, data, at_seconds in (
        (Direction.FROM_MODEM, b"\r\nNAME = WANG\r\n", 1.0),
        (Direction.TO_MODEM, b"AT+FCLASS=8\r", 1.002),
        (Direction.FROM_MODEM, b"\r\nOK\r\n", 1.003),
        (Direction.TO_MODEM, b"AT+VLS=1\r", 1.004),
        (Direction.FROM_MODEM, b"\r\nOK\r\n", 1.005),
        (Direction.TO_MODEM, b"AT+VTX\r", 1.006),
        (Direction.FROM_MODEM, b"\r\nCONNECT\r\n", 1.007),
        (Direction.TO_MODEM, bytes([128]) * 1600 + b"\x10\x10\x18", 1.010),
        (Direction.TO_MODEM, bytes([128]) * 800, 1.1),
        (Direction.FROM_MODEM, b"\x10", 1.199),
        (Direction.FROM_MODEM, b"5", 1.2),
        (Direction.DISCARDED, b"", 1.201),
        (Direction.TO_MODEM, b"\x10\x18\x10\x03", 1.204),
    ):
        log(direction, data, at_seconds)
    assert log.off_hook_delays() == pytest.approx((0.002, 0.004))
    assert log.prompt_delay() == pytest.approx(0.005)
    assert log.barge_in_delays() == pytest.approx([0.004])
    assert log.most_ahead_seconds(SAMPLE_RATE_HZ) == pytest.approx(0.21, abs=0.001)


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile(range(1, 101), 99) == 99
    assert percentile([3.0], 99) == 3.0
