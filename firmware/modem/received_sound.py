"""The sound of one reception on its way to the ears: whole samples, as s16, in pieces that keep the processor cool."""

from __future__ import annotations

from collections.abc import Callable

from firmware.pcm import SampleFormat, decode_to_s16
from firmware.units import seconds_to_samples

# Somebody waits for an answer: two reads of 20 ms.
PROMPT_PIECE_SECONDS = 0.04
# A recording: one gathered read, perhaps a little early.
PATIENT_PIECE_SECONDS = 0.09


class WholeSamples:
    """Holds the first half of a sample back whose second half is still to come."""

    def __init__(self, sample_format: SampleFormat) -> None:
        self._sample_bytes = sample_format.sample_bytes
        self._half = b""

    def feed(self, data: bytes) -> bytes:
        """What is whole so far and was not given yet."""
        if self._sample_bytes == 1:
            return data
        data = self._half + data
        whole = len(data) - len(data) % self._sample_bytes
        self._half = data[whole:]
        return data[:whole]


class ReceivedSound:
    """Collects whole samples of a line, and passes them on as s16."""

    def __init__(self, sample_format: SampleFormat, hear: Callable[[bytes], None], piece_seconds: float) -> None:
        self._format = sample_format
        self._hear = hear
        self._piece_bytes = seconds_to_samples(piece_seconds) * sample_format.sample_bytes
        self._collected = bytearray()

    def audio(self, data: bytes) -> None:
        """Whole samples from the line."""
        self._collected += data
        if len(self._collected) >= self._piece_bytes:
            self.pass_on()

    def pass_on(self) -> None:
        """Give on what was collected, however little it is."""
        if self._collected:
            s16 = decode_to_s16(bytes(self._collected), self._format)
            self._collected.clear()
            self._hear(s16)
