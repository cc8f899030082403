"""Chooses a sample format out of the answer to +VSM=?: by name and bits, never by number (modem-reference 6.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from firmware.pcm import SampleFormat
from firmware.units import SAMPLE_RATE_HZ

_ENTRY = re.compile(r'\s*(?:\+VSM:\s*)?(\d{1,3})\s*,\s*"?([^",]*)"?\s*,\s*(\d{1,2})\s*,(.*)$')
_RANGE = re.compile(r"(\d+)\s*-\s*(\d+)")
# The first is best: one byte a sample and linear, so that levels and cuts cost least.
_PREFERENCE = (SampleFormat.U8, SampleFormat.S8, SampleFormat.S16, SampleFormat.ULAW, SampleFormat.ALAW)


@dataclass(frozen=True, slots=True)
class Codec:
    """One way to send audio, under the number this modem has for it."""

    number: int
    sample_format: SampleFormat

    @property
    def select_commands(self) -> tuple[str, str]:
        """MultiTech demands all four parameters, others know only two: the forms to try, in this order."""
        short = f"AT+VSM={self.number},{SAMPLE_RATE_HZ}"
        return f"{short},0,0", short


def parse_codecs(answer: Sequence[str]) -> list[Codec]:
    """Every usable entry of the answer, in its order; entries we cannot speak are left out."""
    codecs = []
    for line in answer:
        match = _ENTRY.match(line)
        if match is None:
            continue
        sample_format = _format_of(match[2].upper(), int(match[3]))
        if sample_format is not None and _offers_rate(match[4]):
            codecs.append(Codec(int(match[1]), sample_format))
    return codecs


def choose_codec(answer: Sequence[str]) -> Codec | None:
    """The best of what the modem offers; of equals the first."""
    codecs = parse_codecs(answer)
    if not codecs:
        return None
    return min(codecs, key=lambda codec: _PREFERENCE.index(codec.sample_format))


def _format_of(name: str, bits: int) -> SampleFormat | None:
    if "ADPCM" in name:
        return None
    if re.search(r"(MU|U|µ)[-_ ]?LAW", name):
        return SampleFormat.ULAW
    if re.search(r"\bA[-_ ]?LAW", name):
        return SampleFormat.ALAW
    if "PCM" not in name and "LINEAR" not in name:
        return None
    return _linear_format(name, bits)


def _linear_format(name: str, bits: int) -> SampleFormat | None:
    if bits == 16:
        return None if "UNSIGNED" in name else SampleFormat.S16
    if bits != 8:
        return None
    # Plain "8-BIT LINEAR" is unsigned (Agere, USR; modem-reference 6.1).
    signed = "SIGNED" in name and "UNSIGNED" not in name
    return SampleFormat.S8 if signed else SampleFormat.U8


def _offers_rate(tail: str) -> bool:
    """Whether 8000 is among the rates behind the bits. Some modems bracket the list, some give a range."""
    if any(int(low) <= SAMPLE_RATE_HZ <= int(high) for low, high in _RANGE.findall(tail)):
        return True
    return str(SAMPLE_RATE_HZ) in re.findall(r"\d+", tail)
