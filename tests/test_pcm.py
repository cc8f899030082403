"""Sample formats: exact where they can be, near where they cannot, and levels."""

from __future__ import annotations

import math
from array import array
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware import pcm
from firmware.pcm import SILENT_DBFS, SampleFormat, decode_to_s16, encode_s16, level_dbfs

CODES = bytes(range(256))
ONE_BYTE = [item for item in SampleFormat if item is not SampleFormat.S16]
# ITU-T G.711: the decoder's values of codes at segment borders and at both ends.
G711 = [
    (SampleFormat.ULAW, 0x00, -32124),
    (SampleFormat.ULAW, 0x80, 32124),
    (SampleFormat.ULAW, 0xFF, 0),
    (SampleFormat.ULAW, 0xF0, 120),
    (SampleFormat.ALAW, 0xD5, 8),
    (SampleFormat.ALAW, 0x55, -8),
    (SampleFormat.ALAW, 0xAA, 32256),
    (SampleFormat.ALAW, 0x2A, -32256),
]


@pytest.mark.parametrize("sample_format", ONE_BYTE)
def test_every_code_survives_decoding_and_encoding(sample_format: SampleFormat) -> None:
    back = encode_s16(decode_to_s16(CODES, sample_format), sample_format)
    # mu-law has two codes for zero.
    assert {code for code in range(256) if back[code] != code} <= {0x7F}


@pytest.mark.parametrize(("sample_format", "code", "value"), G711)
def test_g711_values_are_the_standards(sample_format: SampleFormat, code: int, value: int) -> None:
    assert pcm.to_array(decode_to_s16(bytes([code]), sample_format))[0] == value


@pytest.mark.parametrize("sample_format", ONE_BYTE)
def test_encoding_never_jumps_the_wrong_way(sample_format: SampleFormat) -> None:
    ramp = array("h", range(-32768, 32768))
    there = pcm.to_array(decode_to_s16(encode_s16(pcm.from_array(ramp), sample_format), sample_format))
    assert all(one <= other for one, other in pairwise(there))


@pytest.mark.parametrize("sample_format", [SampleFormat.U8, SampleFormat.S8])
def test_linear_eight_bits_are_rounded_to_the_nearest(sample_format: SampleFormat) -> None:
    ramp = array("h", range(-32768, 32640))
    there = pcm.to_array(decode_to_s16(encode_s16(pcm.from_array(ramp), sample_format), sample_format))
    assert max(abs(one - other) for one, other in zip(ramp, there, strict=True)) <= 128


@pytest.mark.parametrize("sample_format", list(SampleFormat))
def test_silence_decodes_to_nearly_nothing(sample_format: SampleFormat) -> None:
    assert abs(pcm.to_array(decode_to_s16(sample_format.silence, sample_format))[0]) <= 8
    assert len(sample_format.silence) == sample_format.sample_bytes


@pytest.mark.parametrize("sample_format", list(SampleFormat))
def test_level_of_a_sine_is_told_in_every_format(sample_format: SampleFormat) -> None:
    sine = array("h", (round(3276.8 * math.sqrt(2) * math.sin(i / 7)) for i in range(8000)))
    assert level_dbfs(encode_s16(pcm.from_array(sine), sample_format), sample_format) == pytest.approx(-20, abs=0.3)


@pytest.mark.parametrize("sample_format", list(SampleFormat))
def test_nothing_has_the_level_of_silence(sample_format: SampleFormat) -> None:
    assert level_dbfs(b"", sample_format) == SILENT_DBFS


@given(st.binary().map(lambda data: data[: len(data) // 2 * 2]))
def test_sixteen_bits_pass_untouched(data: bytes) -> None:
    assert encode_s16(data, SampleFormat.S16) == decode_to_s16(data, SampleFormat.S16) == data
    assert pcm.from_array(pcm.to_array(data)) == data
