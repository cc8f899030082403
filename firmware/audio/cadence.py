"""Which tone of a plan a row of bursts and pauses must be: told when it can be no other of that country. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence

from firmware.audio.tone_blocks import BLOCK_SAMPLES
from firmware.audio.tone_plans import TonePattern
from firmware.audio.tone_runs import OTHER, PAUSE, Run
from firmware.events import LineTone
from firmware.units import seconds_to_samples

# Exchanges keep their cadence within some 10 %; blocks add an error of their own at both ends.
_TOLERANCE_SHARE, _TOLERANCE_SAMPLES = 0.1, seconds_to_samples(0.03)
# Bursts of one tone come with one level, or in steps that the plan knows (AU: 10 dB).
_LEVEL_WITHIN_DB = 5.0
# A voice may hold a note, but hardly so long and so pure.
_STEADY_SAMPLES = seconds_to_samples(1.5)
# So long is no burst but that of a ringback tone.
_LONG_BURST_SAMPLES = seconds_to_samples(0.9)
# The level of a burst is known after three blocks.
_LEVEL_BLOCKS = 3
# Burst, pause, and the next burst: no voice does that with one frequency.
_CONVINCING_RUNS = 3
_MOST_RUNS = 6


class CadenceJudge:
    """Follows the runs of one stretch of sound."""

    def __init__(self, patterns: Sequence[TonePattern]) -> None:
        self._patterns = patterns
        self._chain: list[Run] = []
        self._told: LineTone | None = None

    def run_began(self, run: Run) -> None:
        """A new run; the one before it is complete."""
        if run.kind == OTHER or (self._chain and PAUSE not in (run.kind, self._chain[-1].kind)):
            self._forget()
        if run.kind >= 0 or (run.kind == PAUSE and self._chain):
            self._chain.append(run)
            del self._chain[: max(0, len(self._chain) - _MOST_RUNS + 1) // 2 * 2]

    def certain(self) -> tuple[LineTone, int] | None:
        """The tone that is certain by now and was not told yet, and where its first burst began, in samples."""
        if not _enough(self._chain):
            return None
        fitting = self._fitting()
        while self._chain and not fitting:
            del self._chain[:2]
            fitting = self._fitting()
        if not self._chain:
            self._forget()
        return self._tell(fitting) if _enough(self._chain) else None

    def _tell(self, fitting: Sequence[TonePattern]) -> tuple[LineTone, int] | None:
        tones = {pattern.tone for pattern in fitting}
        too_short = not fitting[0].cadence_samples and self._chain[-1].samples < _STEADY_SAMPLES
        if len(tones) > 1 or self._told in tones or too_short:
            return None
        self._told = tones.pop()
        # The burst may have begun in the block before the first that it fills.
        return self._told, max(0, self._chain[0].began_at_samples - BLOCK_SAMPLES)

    def _fitting(self) -> list[TonePattern]:
        return [pattern for pattern in self._patterns if _fits(pattern, self._chain)]

    def _forget(self) -> None:
        self._chain.clear()
        self._told = None


def _enough(chain: Sequence[Run]) -> bool:
    """Whether so much was heard that it can convince at all."""
    if len(chain) == _CONVINCING_RUNS:
        return chain[-1].blocks >= _LEVEL_BLOCKS or _has_long_burst(chain)
    return len(chain) > _CONVINCING_RUNS or _has_long_burst(chain)


def _has_long_burst(chain: Sequence[Run]) -> bool:
    return any(run.samples >= _LONG_BURST_SAMPLES for run in chain[::2])


def _fits(pattern: TonePattern, chain: Sequence[Run]) -> bool:
    """Whether the runs can be this tone, begun at any of its bursts."""
    if any(run.kind not in (PAUSE, pattern.chord) for run in chain):
        return False
    if not pattern.cadence_samples:
        return len(chain) == 1
    starts = range(0, len(pattern.cadence_samples), 2)
    return any(_times_fit(pattern, chain, start) and _levels_fit(pattern, chain, start) for start in starts)


def _times_fit(pattern: TonePattern, chain: Sequence[Run], start: int) -> bool:
    cadence = pattern.cadence_samples
    for at, run in enumerate(chain):
        nominal = cadence[(start + at) % len(cadence)]
        tolerance = _TOLERANCE_SHARE * nominal + _TOLERANCE_SAMPLES
        if run.samples > nominal + tolerance:
            return False
        # The last one goes on, and the first may have gone on before anybody listened.
        open_ended = at == len(chain) - 1 or not run.began_at_samples
        if run.samples < nominal - tolerance and not open_ended:
            return False
    return True


def _levels_fit(pattern: TonePattern, chain: Sequence[Run], start: int) -> bool:
    bursts = [run for run in chain[::2] if run.blocks >= _LEVEL_BLOCKS]
    softer_db = [pattern.softer_db[(start // 2 + at) % len(pattern.softer_db)] for at in range(len(bursts))]
    levels_dbfs = [10 * math.log10(run.power) + softer for run, softer in zip(bursts, softer_db, strict=True)]
    return not levels_dbfs or max(levels_dbfs) - min(levels_dbfs) <= _LEVEL_WITHIN_DB
