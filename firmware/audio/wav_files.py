"""A prompt's WAV file, read for the line with the care that a file from a card or from an office needs."""

from __future__ import annotations

from pathlib import Path

from firmware.pcm import decode_to_s16
from firmware.units import SAMPLE_RATE_HZ
from firmware.wav import NotAWav, parse

# Five minutes at 16 bits: beyond any prompt, and small enough for a Pi's memory.
_LARGEST_FILE_BYTES = 5_000_000


def load_s16(path: Path) -> bytes:
    """The samples of a file in any sample format of the line. Raises: OSError, NotAWav."""
    if not path.is_file():
        raise NotAWav("there is no such file")
    if path.stat().st_size > _LARGEST_FILE_BYTES:
        raise NotAWav("it is too large for a prompt")
    wav = parse(path.read_bytes())
    if wav.rate_hz != SAMPLE_RATE_HZ:
        raise NotAWav(f"{wav.rate_hz} samples/s; {SAMPLE_RATE_HZ} are needed")
    # A file that was cut short may end within a sample.
    whole = len(wav.data) - len(wav.data) % wav.sample_format.sample_bytes
    s16 = decode_to_s16(wav.data[:whole], wav.sample_format)
    if not any(s16):
        raise NotAWav("it holds only silence")
    return s16
