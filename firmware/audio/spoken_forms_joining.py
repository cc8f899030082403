"""Recorded pieces joined to one clip: the long quiet between sentences shortened to a breath between words. Pure."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from firmware.pcm import from_array, to_array
from firmware.ports import Clip
from firmware.units import seconds_to_samples

GAP_SECONDS = 0.09
"""Between the words of one phrase; what is quieter than `_QUIET` counts as gap."""
# -50 dBFS: below every consonant of a piece mastered to -20 dBFS, above the end of a fade.
_QUIET = 104
_GAP_SAMPLES = seconds_to_samples(GAP_SECONDS)
# Each side of a joint fades over this much of its own quiet, so that no step is left.
_FADE_SAMPLES = seconds_to_samples(0.01)


def join(clips: Sequence[Clip]) -> Clip:
    """One clip of several in the same language, with the quiet at each joint cut to `GAP_SECONDS`.

    The quiet before the first and behind the last stays. Raises: ValueError when there is nothing to join.
    """
    if not clips:
        raise ValueError("nothing to join")
    language = clips[-1].language
    between = "" if language == "zh" else " "
    text = between.join(clip.text for clip in clips)
    return Clip("+".join(clip.prompt for clip in clips), text, _joined([clip.s16 for clip in clips]), language)


def _joined(pieces: Sequence[bytes]) -> bytes:
    samples = [to_array(s16) for s16 in pieces]
    whole = samples[0]
    for piece in samples[1:]:
        behind, before = _quiet_samples(whole, from_end=True), _quiet_samples(piece, from_end=False)
        # Where one side has little quiet of its own, the other gives more.
        kept_behind = min(behind, max(_GAP_SAMPLES // 2, _GAP_SAMPLES - before))
        kept_before = min(before, _GAP_SAMPLES - kept_behind)
        ending = whole[: len(whole) - behind + kept_behind]
        beginning = piece[before - kept_before :]
        _fade_out(ending, min(kept_behind, _FADE_SAMPLES))
        _fade_in(beginning, min(kept_before, _FADE_SAMPLES))
        whole = ending + beginning
    return from_array(whole)


def _quiet_samples(samples: array[int], *, from_end: bool) -> int:
    places = reversed(range(len(samples))) if from_end else range(len(samples))
    for count, place in enumerate(places):
        if abs(samples[place]) > _QUIET:
            return count
    return len(samples)


def _fade_in(samples: array[int], length: int) -> None:
    for at in range(length):
        samples[at] = samples[at] * at // length


def _fade_out(samples: array[int], length: int) -> None:
    for at in range(length):
        samples[-1 - at] = samples[-1 - at] * at // length
