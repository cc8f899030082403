"""Prompts made ready for a line: encoded and shielded once, in blocks of 100 ms, and kept for every later call."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from firmware.modem.dle import shield
from firmware.pcm import SampleFormat, encode_s16
from firmware.ports import Clip
from firmware.units import SAMPLE_RATE_HZ, samples_to_seconds

BLOCK_SECONDS = 0.1
_BLOCK_BYTES_S16 = round(BLOCK_SECONDS * SAMPLE_RATE_HZ) * 2
_SAMPLE_BYTES_S16 = 2


@dataclass(frozen=True, slots=True)
class Block:
    """Bytes for the modem, and how long they sound."""

    wire: bytes
    seconds: float


class PreparedClip:
    """One clip in one format. Blocks are made when first needed: a long prompt starts as fast as a short one."""

    def __init__(self, s16: bytes, sample_format: SampleFormat) -> None:
        self._s16 = s16[: len(s16) - len(s16) % _SAMPLE_BYTES_S16]
        self._format = sample_format
        self._blocks: list[Block] = []

    @property
    def bytes_when_full(self) -> int:
        """About what this clip will take once all of it was played."""
        return len(self._s16) // _SAMPLE_BYTES_S16 * self._format.sample_bytes

    def blocks(self) -> Iterator[Block]:
        """All blocks in order; the last may be short."""
        for number in range(-(-len(self._s16) // _BLOCK_BYTES_S16)):
            if number == len(self._blocks):
                self._blocks.append(self._make(number))
            yield self._blocks[number]

    def _make(self, number: int) -> Block:
        s16 = self._s16[number * _BLOCK_BYTES_S16 : (number + 1) * _BLOCK_BYTES_S16]
        return Block(shield(encode_s16(s16, self._format)), samples_to_seconds(len(s16) // _SAMPLE_BYTES_S16))


class PromptCache:
    """Prepared clips of all lines, the least recently played dropped first."""

    def __init__(self, most_bytes: int = 8 * 1024 * 1024) -> None:
        self._most_bytes = most_bytes
        self._held_bytes = 0
        self._clips: OrderedDict[tuple[bytes, SampleFormat], PreparedClip] = OrderedDict()

    def blocks(self, clips: Sequence[Clip], sample_format: SampleFormat) -> Iterator[Block]:
        """The blocks of all clips, one behind the other."""
        for clip in clips:
            yield from self._prepared(clip, sample_format).blocks()

    def _prepared(self, clip: Clip, sample_format: SampleFormat) -> PreparedClip:
        # The key is the sound itself: a bytes object remembers its hash, and a changed prompt is another prompt.
        key = clip.s16, sample_format
        found = self._clips.get(key)
        if found is None:
            found = self._clips[key] = PreparedClip(clip.s16, sample_format)
            self._held_bytes += found.bytes_when_full
            self._make_room()
        self._clips.move_to_end(key)
        return found

    def _make_room(self) -> None:
        while self._held_bytes > self._most_bytes and len(self._clips) > 1:
            _, dropped = self._clips.popitem(last=False)
            self._held_bytes -= dropped.bytes_when_full
