"""WAV files: ours, other people's, and garbage; Python's own reader is the judge."""

from __future__ import annotations

import io
import struct
import wave
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware import wav
from firmware.pcm import SampleFormat
from firmware.wav import NotAWav

WRITABLE = [item for item in SampleFormat if item is not SampleFormat.S8]


@pytest.mark.parametrize("sample_format", WRITABLE)
def test_what_is_written_reads_back(sample_format: SampleFormat) -> None:
    parsed = wav.parse(wav.dump(sample_format, bytes(range(200))))
    assert (parsed.sample_format, parsed.rate_hz, parsed.data) == (sample_format, 8000, bytes(range(200)))


@pytest.mark.parametrize(("sample_format", "width"), [(SampleFormat.U8, 1), (SampleFormat.S16, 2)])
def test_another_reader_agrees(sample_format: SampleFormat, width: int) -> None:
    with wave.open(io.BytesIO(wav.dump(sample_format, bytes(400)))) as read:
        assert (read.getnchannels(), read.getsampwidth(), read.getframerate()) == (1, width, 8000)
        assert read.readframes(1000) == bytes(400)


def test_header_is_as_long_as_it_says() -> None:
    assert len(wav.header(SampleFormat.U8, 5)) == wav.HEADER_BYTES


def test_other_chunks_are_passed_over() -> None:
    whole = wav.dump(SampleFormat.U8, b"abc")
    extra = b"LIST" + struct.pack("<I", 3) + b"xyz\0"
    assert wav.parse(whole[:12] + extra + whole[12:]).data == b"abc"


def test_file_cut_by_a_power_loss_gives_what_is_there() -> None:
    assert wav.parse(wav.dump(SampleFormat.U8, bytes(100))[:60]).data == bytes(16)


def test_signed_eight_bits_are_refused() -> None:
    with pytest.raises(NotAWav):
        wav.header(SampleFormat.S8, 1)


@given(st.binary(max_size=300))
def test_garbage_is_told(content: bytes) -> None:
    with pytest.raises(NotAWav):
        wav.parse(content)


@given(st.integers(0, 60), st.binary(min_size=1, max_size=8))
def test_damaged_file_is_read_or_told(at: int, noise: bytes) -> None:
    whole = bytearray(wav.dump(SampleFormat.S16, bytes(64)))
    whole[at : at + len(noise)] = noise
    with suppress(NotAWav):
        assert len(wav.parse(bytes(whole)).data) <= len(whole)
