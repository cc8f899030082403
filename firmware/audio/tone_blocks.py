"""Which chord of a tone plan sounds in a block of 30 ms, if any.

Blocks of 30 ms tell 400 with 450 Hz from 400 Hz alone, and still measure the shortest burst, 225 ms.
"""

from __future__ import annotations

from dataclasses import dataclass

from firmware.audio.blocks import mean_square
from firmware.audio.spandsp import ToneFilters
from firmware.audio.tone_plans import TonePlan
from firmware.units import seconds_to_samples

BLOCK_SAMPLES = seconds_to_samples(0.030)
# Two frequencies of one tone may differ by 10 dB; what leaks from a neighbour's filter lies below that.
_LEAST_BALANCE = 0.1
# -60 dBFS: tones come with some -10 to -40 dBFS, and softer bursts 10 dB below.
FLOOR_MEAN_SQUARE = 32768.0**2 * 10**-6


@dataclass(frozen=True, slots=True)
class ToneBlock:
    """`chord` is None where no tone has most of the power; `power` is the mean square of everything."""

    chord: int | None
    power: float


class ToneBlockReader:
    """Judges blocks of `BLOCK_SAMPLES`. Raises: SoundError without spandsp."""

    def __init__(self, plan: TonePlan) -> None:
        frequencies = sorted({hz for chord in plan.chords for hz in chord})
        self._chords = [[frequencies.index(hz) for hz in chord] for chord in plan.chords]
        self._least_share = plan.least_share
        self._filters = ToneFilters(frequencies, BLOCK_SAMPLES)

    def read(self, block: bytes) -> ToneBlock:
        """One block of s16."""
        power = mean_square(block, every=2)
        if power < FLOOR_MEAN_SQUARE:
            return ToneBlock(None, power)
        return ToneBlock(self._chord(self._filters.powers(block), power * self._least_share), power)

    def _chord(self, powers: list[float], best_total: float) -> int | None:
        """The one with the most power, and no less than `best_total`."""
        best = None
        for at, chord in enumerate(self._chords):
            parts = [powers[filter_at] for filter_at in chord]
            total = sum(parts)
            if total > best_total and min(parts) >= _LEAST_BALANCE * max(parts):
                best, best_total = at, total
        return best
