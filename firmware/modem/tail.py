"""Where a recording really ends: levels of blocks tell voice from silence and from a dead line's tone. Pure."""

from __future__ import annotations

from collections.abc import Sequence

BLOCK_SECONDS = 0.1
# Shorter sounds are clicks of the line.
_VOICE_BLOCKS = 2
# A tone of the exchange has one level; the voice moves more than this from block to block.
_TONE_LEVEL_WITHIN_DB = 1.5
# A message that stops dead sounds cut off; this much of the silence behind it stays.
KEPT_SILENT_BLOCKS = 3
# Two periods of the slowest busy tone (Singapore, 750/750 ms) begin within this.
_LOOK_BACK_BLOCKS = 15
_SILENCE, _TONE, _EDGE, _OTHER = range(4)


def voiced(levels_dbfs: Sequence[float], threshold_dbfs: float) -> bool:
    """Whether somebody spoke: a sound above the threshold for at least 0.2 s."""
    run = 0
    for level in levels_dbfs:
        run = run + 1 if level > threshold_dbfs else 0
        if run >= _VOICE_BLOCKS:
            return True
    return False


def silent_blocks_at_end(levels_dbfs: Sequence[float], threshold_dbfs: float) -> int:
    """How many blocks at the end are silent."""
    count = 0
    for level in reversed(levels_dbfs):
        if level > threshold_dbfs:
            break
        count += 1
    return count


def tone_blocks_at_end(levels_dbfs: Sequence[float], threshold_dbfs: float) -> int:
    """How many blocks at the end hold nothing but silence and bursts of one steady tone.

    A block on the edge of a burst has a level between the two, and counts when its neighbour is part of the tone.
    """
    loud = [level for level in levels_dbfs[-_LOOK_BACK_BLOCKS:] if level > threshold_dbfs]
    if not loud:
        return silent_blocks_at_end(levels_dbfs, threshold_dbfs)
    tone = sorted(loud)[len(loud) * 3 // 4]
    kinds = [_kind(level, tone, threshold_dbfs) for level in levels_dbfs]
    count = len(kinds)
    for position in range(len(kinds) - 1, -1, -1):
        if kinds[position] == _OTHER or (kinds[position] == _EDGE and not _edges_a_burst(kinds, position)):
            count = len(kinds) - 1 - position
            break
    return count


def _kind(level: float, tone: float, threshold: float) -> int:
    if level <= threshold:
        return _SILENCE
    if abs(level - tone) <= _TONE_LEVEL_WITHIN_DB:
        return _TONE
    return _EDGE if level < tone else _OTHER


def _edges_a_burst(kinds: Sequence[int], position: int) -> bool:
    """A burst on one side, silence (or the end) on the other."""
    before = kinds[position - 1] if position else _SILENCE
    after = kinds[position + 1] if position + 1 < len(kinds) else _SILENCE
    return {before, after} == {_TONE, _SILENCE}


def message_blocks(levels_dbfs: Sequence[float], threshold_dbfs: float) -> int:
    """How many blocks stay when a tone at the end is cut off, a breath of silence behind the voice included.

    Loud blocks in front of the first silence are left in: the end of a word may be as loud as the tone.
    """
    steady = tone_blocks_at_end(levels_dbfs, threshold_dbfs)
    tail = levels_dbfs[len(levels_dbfs) - steady :]
    first_silent = next((at for at, level in enumerate(tail) if level <= threshold_dbfs), 0)
    breath = tail[first_silent : first_silent + KEPT_SILENT_BLOCKS]
    silent = next((at for at, level in enumerate(breath) if level > threshold_dbfs), len(breath))
    return len(levels_dbfs) - steady + first_silent + silent
