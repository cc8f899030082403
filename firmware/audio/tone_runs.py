"""Bursts and pauses out of blocks: what lasts for two blocks counts, what lasts for one is a click or a dip. Pure."""

from __future__ import annotations

from firmware.audio.tone_blocks import BLOCK_SAMPLES, FLOOR_MEAN_SQUARE, ToneBlock

PAUSE, OTHER = -1, -2
# 7.5 dB below the burst: on a line whose noise is 10 dB below the tone, a pause is still a pause.
_PAUSE_SHARE_OF_BURST = 0.18
_BLOCKS_TO_CHANGE = 2
# What changes with every block is no sound of an exchange.
_RESTLESS_BLOCKS = 3


class Run:
    """A stretch of one kind: the number of a chord, `PAUSE`, or `OTHER` for every other sound."""

    def __init__(self, kind: int, began_at_samples: int) -> None:
        self.kind = kind
        self.began_at_samples = began_at_samples
        self.blocks = 0
        self._powers = 0.0
        self._own_blocks = 0

    @property
    def samples(self) -> int:
        """How long it is, so far."""
        return self.blocks * BLOCK_SAMPLES

    @property
    def power(self) -> float:
        """The mean square of its blocks, without the dips."""
        return self._powers / self._own_blocks if self._own_blocks else 0.0

    def add(self, kind: int, power: float) -> None:
        """One more block; a dip counts for the length, not for the power."""
        self.blocks += 1
        if kind == self.kind:
            self._powers += power
            self._own_blocks += 1


class RunReader:
    """Follows the sound; `run` is the stretch that goes on."""

    def __init__(self) -> None:
        self.run = Run(OTHER, 0)
        self._burst_power = 0.0
        self._unlike: list[tuple[int, float]] = []

    def feed(self, number: int, block: ToneBlock) -> bool:
        """The next block, counted from 0; whether it proves that a new run began (it is `run` then)."""
        kind = self._kind(block)
        self._unlike.append((kind, block.power))
        if kind == self.run.kind:
            self._end_of_dip()
            return False
        if [of for of, _ in self._unlike[-_BLOCKS_TO_CHANGE:]] == [kind] * _BLOCKS_TO_CHANGE:
            self._begin(kind, number, _BLOCKS_TO_CHANGE)
            return True
        if len(self._unlike) < _RESTLESS_BLOCKS:
            return False
        if self.run.kind == OTHER:
            self._end_of_dip()
            return False
        self._begin(OTHER, number, _RESTLESS_BLOCKS)
        return True

    def _kind(self, block: ToneBlock) -> int:
        if block.chord is not None:
            return block.chord
        quiet = max(FLOOR_MEAN_SQUARE, _PAUSE_SHARE_OF_BURST * self._burst_power)
        return PAUSE if block.power < quiet else OTHER

    def _end_of_dip(self) -> None:
        for kind, power in self._unlike:
            self.run.add(kind, power)
        self._unlike.clear()

    def _begin(self, kind: int, number: int, blocks: int) -> None:
        """Give the last blocks to a new run, and those before them to the old one."""
        new = Run(kind, (number + 1 - blocks) * BLOCK_SAMPLES)
        own, self._unlike = self._unlike[-blocks:], self._unlike[:-blocks]
        self._end_of_dip()
        self.run, self._unlike = new, own
        self._end_of_dip()
        if kind >= 0:
            # The loudest of the tone's bursts counts (AU: every second one is softer).
            self._burst_power = max(self._burst_power, new.power)
        elif kind == OTHER:
            self._burst_power = 0.0
