"""Sample formats of the line, and their conversion. Pure, and without numpy: the calls service stays small.

The common currency between packages is `s16`: signed 16-bit little-endian mono at 8 kHz. Modems speak other formats
(modem-reference 6.1); each is a member of `SampleFormat`.
"""

from __future__ import annotations

import math
import sys
from array import array
from enum import Enum
from functools import cache

_FULL_SCALE = 32768.0
SILENT_DBFS = -120.0


class SampleFormat(Enum):
    """How a modem writes samples. Values are stable: they are stored with recordings."""

    U8 = "u8"
    S8 = "s8"
    S16 = "s16le"
    ULAW = "ulaw"
    ALAW = "alaw"

    @property
    def sample_bytes(self) -> int:
        """Bytes that one sample takes."""
        return 2 if self is SampleFormat.S16 else 1

    @property
    def silence(self) -> bytes:
        """One sample of silence."""
        return encode_s16(b"\0\0", self)


def to_array(s16: bytes) -> array[int]:
    """The samples as numbers, whatever the machine's byte order."""
    samples = array("h")
    samples.frombytes(s16)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def from_array(samples: array[int]) -> bytes:
    """The inverse of `to_array`."""
    if sys.byteorder == "big":
        samples = samples[:]
        samples.byteswap()
    return samples.tobytes()


def encode_s16(s16: bytes, target: SampleFormat) -> bytes:
    """Rewrite signed 16-bit samples in a modem's format, rounding to the nearest code."""
    if target is SampleFormat.S16:
        return s16
    table = _encode_table(target)
    # A negative sample indexes from the end of the table, which is where two's complement puts it.
    return bytes(map(table.__getitem__, to_array(s16)))


def decode_to_s16(data: bytes, source: SampleFormat) -> bytes:
    """Rewrite a modem's samples as signed 16-bit; loss-free for every format."""
    if source is SampleFormat.S16:
        return data
    s16 = bytearray(2 * len(data))
    s16[::2], s16[1::2] = map(data.translate, _decode_bytes(source))
    return bytes(s16)


def level_dbfs(data: bytes, source: SampleFormat) -> float:
    """RMS level against full scale (a full-scale square wave is 0); `SILENT_DBFS` for nothing at all."""
    if source is SampleFormat.S16:
        power = sum(sample * sample for sample in to_array(data))
    else:
        power = sum(sum(data.translate(byte)) << shift for shift, byte in _square_bytes(source))
    count = len(data) // source.sample_bytes
    if not count or not power:
        return SILENT_DBFS
    return 10 * math.log10(power / count / _FULL_SCALE**2)


@cache
def _encode_table(target: SampleFormat) -> bytes:
    encode_one = _ENCODERS[target]
    return bytes(encode_one(sample if sample < 32768 else sample - 65536) for sample in range(65536))


@cache
def _decode_table(source: SampleFormat) -> tuple[int, ...]:
    decode_one = _DECODERS[source]
    return tuple(decode_one(code) for code in range(256))


@cache
def _decode_bytes(source: SampleFormat) -> tuple[bytes, bytes]:
    """The low and the high byte of every code: translating bytes is many times faster than mapping numbers."""
    s16 = from_array(array("h", _decode_table(source)))
    return s16[::2], s16[1::2]


@cache
def _square_bytes(source: SampleFormat) -> tuple[tuple[int, bytes], ...]:
    """The bytes of every code's square that are not always 0, each with its shift: summing bytes is fast."""
    squares = [sample * sample for sample in _decode_table(source)]
    tables = [(shift, bytes(square >> shift & 0xFF for square in squares)) for shift in (0, 8, 16, 24)]
    return tuple((shift, table) for shift, table in tables if any(table))


def _encode_u8(sample: int) -> int:
    return min(255, (sample + 128 >> 8) + 128)


def _encode_s8(sample: int) -> int:
    return min(127, sample + 128 >> 8) & 0xFF


def _decode_s8(code: int) -> int:
    return (code if code < 128 else code - 256) << 8


# G.711: logarithmic companding in eight segments per sign.
_ULAW_BIAS = 0x84
_ULAW_CLIP = 32635


def _decode_ulaw(code: int) -> int:
    code = ~code & 0xFF
    magnitude = ((code & 0x0F) << 3) + _ULAW_BIAS << (code >> 4 & 7)
    return _ULAW_BIAS - magnitude if code & 0x80 else magnitude - _ULAW_BIAS


def _encode_ulaw(sample: int) -> int:
    magnitude = min(abs(sample), _ULAW_CLIP) + _ULAW_BIAS
    segment = magnitude.bit_length() - 8
    code = segment << 4 | (magnitude >> segment + 3) & 0x0F
    return ~(code | (0x80 if sample < 0 else 0)) & 0xFF


def _decode_alaw(code: int) -> int:
    code ^= 0x55
    segment = code >> 4 & 7
    magnitude = ((code & 0x0F) << 4) + 8
    if segment:
        magnitude = magnitude + 0x100 << segment - 1
    return magnitude if code & 0x80 else -magnitude


def _encode_alaw(sample: int) -> int:
    magnitude = sample if sample >= 0 else -sample - 1
    segment = max(0, magnitude.bit_length() - 8)
    code = segment << 4 | (magnitude >> (segment + 3 if segment else 4)) & 0x0F
    return (code | (0x80 if sample >= 0 else 0)) ^ 0x55


_ENCODERS = {
    SampleFormat.U8: _encode_u8,
    SampleFormat.S8: _encode_s8,
    SampleFormat.ULAW: _encode_ulaw,
    SampleFormat.ALAW: _encode_alaw,
}
_DECODERS = {
    SampleFormat.U8: lambda code: (code - 128) << 8,
    SampleFormat.S8: _decode_s8,
    SampleFormat.ULAW: _decode_ulaw,
    SampleFormat.ALAW: _decode_alaw,
}
