"""Tones of one country's exchanges in the sound of a line.

spandsp has a detector of its own for these, super_tone_rx. With noise 20 dB below the tone it takes pauses for tones,
it merges 440 with 450 Hz, and it knows no levels (measured; speech-reference 4), so only its filters are used.
"""

from __future__ import annotations

from collections.abc import Iterator

from firmware.audio.blocks import Blocks
from firmware.audio.cadence import CadenceJudge
from firmware.audio.tone_blocks import BLOCK_SAMPLES, ToneBlockReader
from firmware.audio.tone_plans import TonePlan
from firmware.audio.tone_runs import RunReader
from firmware.events import ToneHeard


class ToneListener:
    """Listens to one stretch of sound. Raises: SoundError without spandsp."""

    def __init__(self, plan: TonePlan) -> None:
        self._blocks = Blocks(BLOCK_SAMPLES)
        self._reader = ToneBlockReader(plan)
        self._runs = RunReader()
        self._judge = CadenceJudge(plan.patterns)

    def hear(self, s16: bytes) -> Iterator[tuple[int, ToneHeard]]:
        """The next samples; each tone with the count of samples at which it became certain."""
        for number, block in self._blocks.feed(s16):
            if self._runs.feed(number, self._reader.read(block)):
                self._judge.run_began(self._runs.run)
            certain = self._judge.certain()
            if certain is not None:
                yield (number + 1) * BLOCK_SAMPLES, ToneHeard(*certain)
