"""Measures a recording while it grows, decides when it ends and where a clean message ends. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from firmware.errors import DiskFull
from firmware.events import HangUpEvidence, RecordingEnd
from firmware.modem.line_tones import is_exchange_tone
from firmware.modem.tail import (
    BLOCK_SECONDS,
    KEPT_SILENT_BLOCKS,
    message_blocks,
    silent_blocks_at_end,
    tone_blocks_at_end,
    voiced,
)
from firmware.pcm import SampleFormat, level_dbfs
from firmware.ports import AudioSink, RecordLimits, Take
from firmware.units import SAMPLE_RATE_HZ, seconds_to_samples

_BLOCK_SAMPLES = seconds_to_samples(BLOCK_SECONDS)
# A modem reports a tone once it has heard some of it (DTMF is valid after 40 ms); the finger came before.
_BEFORE_TONE_SAMPLES = seconds_to_samples(0.06)
_BEFORE_LONE_KEY_SAMPLES = seconds_to_samples(0.1)
# With nothing but a steady tone and silence this long, one report of a tone is enough.
_NOBODY_SPOKE_BLOCKS = 15
_TONES = frozenset({HangUpEvidence.BUSY_TONE, HangUpEvidence.DIAL_TONE})
# The modem's own report comes sooner where there is one. Looked for once a second, as it costs more than a level.
_TONE_PROVES_BLOCKS = 40
_LOOK_EVERY_BLOCKS = 10
# The slowest busy tone is Singapore's, 750/750 ms; within this it has paused, and a dial tone has not.
_BUSY_PERIOD_BLOCKS = 20


class Recorder:
    """Passes samples on to the sink. `ended` is called once, when the recording has to stop."""

    def __init__(
        self, sink: AudioSink, limits: RecordLimits, sample_format: SampleFormat, ended: Callable[[], None]
    ) -> None:
        self._sink = sink
        self._limits = limits
        self._format = sample_format
        self._ended = ended
        self._block_bytes = _BLOCK_SAMPLES * sample_format.sample_bytes
        self._block = bytearray()
        self._levels: list[float] = []
        self._recent: deque[bytes] = deque(maxlen=_LOOK_EVERY_BLOCKS)
        self._silent_blocks = 0
        self._look_at_block = _TONE_PROVES_BLOCKS
        self._received_bytes = 0
        self._tone_began_at: int | None = None
        self._kept_samples: int | None = None
        self._evidence: HangUpEvidence | None = None
        self.end: RecordingEnd | None = None

    @property
    def total_samples(self) -> int:
        """Samples taken so far."""
        return self._received_bytes // self._format.sample_bytes

    @property
    def nobody_spoke_lately(self) -> bool:
        """Whether the last 1.5 s hold nothing but silence and bursts of one steady tone."""
        return self._steady_blocks(self._levels[-_NOBODY_SPOKE_BLOCKS:]) >= _NOBODY_SPOKE_BLOCKS

    @property
    def voice_lately(self) -> bool:
        """Whether somebody speaks: sound that is no steady tone."""
        tail = self._levels[-_NOBODY_SPOKE_BLOCKS:]
        return voiced(tail, self._limits.silence_below_dbfs) and self._steady_blocks(tail) < len(tail) // 2

    def audio(self, data: bytes) -> None:
        """Samples from the modem; after the end they still go to the sink, as the rest of its buffer."""
        self._received_bytes += len(data)
        if self.end is not RecordingEnd.DISK_FULL:
            self._write(data)
        if self.end is None:
            self._measure(data)

    def tone_began(self) -> None:
        """The modem hears what may become a key."""
        self._tone_began_at = self.total_samples

    def tone_ended(self) -> None:
        """It is over."""
        self._tone_began_at = None

    def key(self, key: str) -> None:
        """A key was pressed; an end key ends the recording before its own sound."""
        if key not in self._limits.end_keys:
            return
        if self._tone_began_at is not None:
            cut = self._tone_began_at - _BEFORE_TONE_SAMPLES
        else:
            cut = self.total_samples - _BEFORE_LONE_KEY_SAMPLES
        self.finish(RecordingEnd.KEY, cut_samples=max(0, cut))

    def far_end_gone(self, evidence: HangUpEvidence) -> None:
        """The caller hung up."""
        cut = self.total_samples
        if evidence in _TONES:
            cut = message_blocks(self._levels, self._limits.silence_below_dbfs) * _BLOCK_SAMPLES
        self._evidence = evidence if self.end is None else self._evidence
        self.finish(RecordingEnd.HANG_UP, cut_samples=max(0, cut))

    def finish(self, end: RecordingEnd, cut_samples: int | None = None) -> None:
        """End it, unless it has ended."""
        if self.end is not None:
            return
        self.end = end
        cut = self.total_samples if cut_samples is None else cut_samples
        self._kept_samples = min(cut, self._before_silence(cut))
        self._ended()

    def take(self) -> Take:
        """What came of it."""
        kept = self.total_samples if self._kept_samples is None else self._kept_samples
        return Take(
            end=self.end or RecordingEnd.INTERRUPTED,
            total_samples=self.total_samples,
            kept_samples=kept,
            voiced=voiced(self._levels[: kept // _BLOCK_SAMPLES], self._limits.silence_below_dbfs),
            evidence=self._evidence,
        )

    def _before_silence(self, cut: int) -> int:
        levels = self._levels[: cut // _BLOCK_SAMPLES]
        silent = silent_blocks_at_end(levels, self._limits.silence_below_dbfs)
        if silent <= KEPT_SILENT_BLOCKS:
            return cut
        return (len(levels) - silent + KEPT_SILENT_BLOCKS) * _BLOCK_SAMPLES

    def _write(self, data: bytes) -> None:
        try:
            self._sink.write(data)
        except DiskFull:
            self._received_bytes -= len(data)
            self.finish(RecordingEnd.DISK_FULL)

    def _measure(self, data: bytes) -> None:
        self._block += data
        while len(self._block) >= self._block_bytes:
            block = bytes(self._block[: self._block_bytes])
            del self._block[: self._block_bytes]
            self._measure_block(block)
        self._check_limits()

    def _measure_block(self, block: bytes) -> None:
        level = level_dbfs(block, self._format)
        self._levels.append(level)
        self._recent.append(block)
        self._silent_blocks = 0 if level > self._limits.silence_below_dbfs else self._silent_blocks + 1

    def _check_limits(self) -> None:
        if self.total_samples >= self._limits.longest_seconds * SAMPLE_RATE_HZ:
            self.finish(RecordingEnd.TIME_LIMIT)
        elif self._silent_blocks * BLOCK_SECONDS >= self._limits.silence_seconds:
            self.finish(RecordingEnd.SILENCE)
        elif len(self._levels) >= self._look_at_block:
            self._look_at_block = len(self._levels) + _LOOK_EVERY_BLOCKS
            self._look_for_steady_sound()

    def _look_for_steady_sound(self) -> None:
        """A tone of the exchange is a hang-up that the modem did not report; steady noise is what silence is here."""
        noise_blocks = max(_TONE_PROVES_BLOCKS, round(self._limits.silence_seconds / BLOCK_SECONDS))
        tail = self._levels[-noise_blocks:]
        steady = self._steady_blocks(tail)
        if steady < _TONE_PROVES_BLOCKS:
            return
        loudest = max(self._recent, key=lambda block: level_dbfs(block, self._format))
        if is_exchange_tone(loudest, self._format):
            broken = min(tail[-_BUSY_PERIOD_BLOCKS:]) <= self._limits.silence_below_dbfs
            self.far_end_gone(HangUpEvidence.BUSY_TONE if broken else HangUpEvidence.DIAL_TONE)
        elif steady >= noise_blocks:
            cut = message_blocks(self._levels, self._limits.silence_below_dbfs) * _BLOCK_SAMPLES
            self.finish(RecordingEnd.SILENCE, cut_samples=cut)

    def _steady_blocks(self, levels: list[float]) -> int:
        return tone_blocks_at_end(levels, self._limits.silence_below_dbfs)
