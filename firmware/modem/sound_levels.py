"""The levels of a recording, block by block, and what they tell of voice, silence and steady tones. Pure."""

from __future__ import annotations

from collections import deque
from enum import Enum

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
from firmware.units import seconds_to_samples

_BLOCK_SAMPLES = seconds_to_samples(BLOCK_SECONDS)
# With nothing but a steady tone and silence this long, one report of a tone is enough.
_NOBODY_SPOKE_BLOCKS = 15
# The modem's own report comes sooner where there is one. Looked for once a second, as it costs more than a level.
_TONE_PROVES_BLOCKS = 40
_LOOK_EVERY_BLOCKS = 10
# The slowest busy tone is Singapore's, 750/750 ms; within this it has paused, and a dial tone has not.
_BUSY_PERIOD_BLOCKS = 20


class SteadySound(Enum):
    """What a sound is that has gone on for long, and is no voice."""

    BROKEN_TONE = "broken tone"
    UNBROKEN_TONE = "unbroken tone"
    NOISE = "noise"


class SoundLevels:
    """Measures whole blocks. `threshold_dbfs`: what is not louder is silence."""

    def __init__(self, sample_format: SampleFormat, threshold_dbfs: float) -> None:
        self._format = sample_format
        self._threshold_dbfs = threshold_dbfs
        self._block_bytes = _BLOCK_SAMPLES * sample_format.sample_bytes
        self._block = bytearray()
        self._levels: list[float] = []
        self._recent: deque[bytes] = deque(maxlen=_LOOK_EVERY_BLOCKS)
        self._silent_blocks = 0
        self._look_at_block = _TONE_PROVES_BLOCKS

    @property
    def silent_seconds(self) -> float:
        """For how long it has been silent."""
        return self._silent_blocks * BLOCK_SECONDS

    @property
    def nobody_spoke_lately(self) -> bool:
        """Whether the last 1.5 s hold nothing but silence and bursts of one steady tone."""
        return self._steady_blocks(self._levels[-_NOBODY_SPOKE_BLOCKS:]) >= _NOBODY_SPOKE_BLOCKS

    @property
    def voice_lately(self) -> bool:
        """Whether somebody speaks: sound that is no steady tone."""
        tail = self._levels[-_NOBODY_SPOKE_BLOCKS:]
        return voiced(tail, self._threshold_dbfs) and self._steady_blocks(tail) < len(tail) // 2

    def audio(self, data: bytes) -> None:
        """The next samples."""
        self._block += data
        while len(self._block) >= self._block_bytes:
            block = bytes(self._block[: self._block_bytes])
            del self._block[: self._block_bytes]
            self._measure(block)

    def voiced_before(self, sample: int) -> bool:
        """Whether somebody spoke before this sample."""
        return voiced(self._levels[: sample // _BLOCK_SAMPLES], self._threshold_dbfs)

    def before_silence(self, sample: int) -> int:
        """Where to cut so that a silence which ends at this sample goes, but for a breath; the sample itself else."""
        levels = self._levels[: sample // _BLOCK_SAMPLES]
        silent = silent_blocks_at_end(levels, self._threshold_dbfs)
        if silent <= KEPT_SILENT_BLOCKS:
            return sample
        return (len(levels) - silent + KEPT_SILENT_BLOCKS) * _BLOCK_SAMPLES

    def before_tone(self) -> int:
        """Where to cut so that a tone at the end goes."""
        return message_blocks(self._levels, self._threshold_dbfs) * _BLOCK_SAMPLES

    def steady_sound(self, noise_seconds: float) -> SteadySound | None:
        """A steady sound that has gone on for long by now; noise counts after `noise_seconds`. Looks once a second."""
        if len(self._levels) < self._look_at_block:
            return None
        self._look_at_block = len(self._levels) + _LOOK_EVERY_BLOCKS
        noise_blocks = max(_TONE_PROVES_BLOCKS, round(noise_seconds / BLOCK_SECONDS))
        tail = self._levels[-noise_blocks:]
        steady = self._steady_blocks(tail)
        if steady < _TONE_PROVES_BLOCKS:
            return None
        loudest = max(self._recent, key=lambda block: level_dbfs(block, self._format))
        if is_exchange_tone(loudest, self._format):
            broken = min(tail[-_BUSY_PERIOD_BLOCKS:]) <= self._threshold_dbfs
            return SteadySound.BROKEN_TONE if broken else SteadySound.UNBROKEN_TONE
        return SteadySound.NOISE if steady >= noise_blocks else None

    def _measure(self, block: bytes) -> None:
        level = level_dbfs(block, self._format)
        self._levels.append(level)
        self._recent.append(block)
        self._silent_blocks = 0 if level > self._threshold_dbfs else self._silent_blocks + 1

    def _steady_blocks(self, levels: list[float]) -> int:
        return tone_blocks_at_end(levels, self._threshold_dbfs)
