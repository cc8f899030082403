"""WAV files with the sample formats of the line: the header, and reading it back. Pure.

The header is always 44 bytes, so that a recorder can write it first, stream behind it, and mend the lengths at the end.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from firmware.errors import LinekeeperError
from firmware.pcm import SampleFormat
from firmware.units import SAMPLE_RATE_HZ

HEADER_BYTES = 44
_LAYOUT = struct.Struct("<4sI4s4sIHHIIHH4sI")
# RFC 2361 wave format tags.
_PCM, _ALAW, _ULAW = 0x0001, 0x0006, 0x0007
_TAGS = {SampleFormat.ALAW: _ALAW, SampleFormat.ULAW: _ULAW}


class NotAWav(LinekeeperError):
    """The bytes are not a WAV file that we can read."""


@dataclass(frozen=True, slots=True)
class Wav:
    """Samples and how they are written."""

    sample_format: SampleFormat
    rate_hz: int
    data: bytes


def header(sample_format: SampleFormat, data_bytes: int) -> bytes:
    """The 44 bytes before `data_bytes` of samples. WAV has no signed 8-bit: convert to U8 first."""
    if sample_format is SampleFormat.S8:
        raise NotAWav("WAV has no signed 8-bit samples; convert them to unsigned first")
    width = sample_format.sample_bytes
    return _LAYOUT.pack(
        b"RIFF", HEADER_BYTES - 8 + data_bytes, b"WAVE",
        b"fmt ", 16, _TAGS.get(sample_format, _PCM), 1, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ * width, width, width * 8,
        b"data", data_bytes,
    )  # fmt: skip


def dump(sample_format: SampleFormat, data: bytes) -> bytes:
    """A whole file."""
    return header(sample_format, len(data)) + data


def parse(content: bytes) -> Wav:
    """Read a mono WAV file; other chunks are passed over, a cut last chunk gives what is there.

    Raises: NotAWav.
    """
    if len(content) < 12 or content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise NotAWav("not a WAV file")
    layout: tuple[SampleFormat, int] | None = None
    at = 12
    while at + 8 <= len(content):
        kind, size = struct.unpack_from("<4sI", content, at)
        body = content[at + 8 : at + 8 + size]
        if kind == b"fmt ":
            layout = _parse_format(body)
        if kind == b"data":
            if layout is None:
                raise NotAWav("samples before their format")
            return Wav(*layout, body)
        at += 8 + size + size % 2
    raise NotAWav("no samples in it")


def _parse_format(body: bytes) -> tuple[SampleFormat, int]:
    if len(body) < 16:
        raise NotAWav("its format is cut short")
    tag, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", body)
    if channels != 1:
        raise NotAWav(f"{channels} channels; one is needed")
    known = {
        (_PCM, 8): SampleFormat.U8,
        (_PCM, 16): SampleFormat.S16,
        (_ULAW, 8): SampleFormat.ULAW,
        (_ALAW, 8): SampleFormat.ALAW,
    }
    if (tag, bits) not in known:
        raise NotAWav(f"format {tag} with {bits} bits is not one of ours")
    return known[tag, bits], rate_hz
