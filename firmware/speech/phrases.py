"""From the words that an engine heard to one of the phrases that were asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from firmware.speech.engine import Decoded

# What engines call speech that is no word they know.
UNKNOWN_WORD = "[unk]"


def words_of(phrases: Iterable[str]) -> list[str]:
    """Every word in the phrases once, in order."""
    return list(dict.fromkeys(word for phrase in phrases for word in phrase.split()))


def chosen_phrase(heard: Sequence[tuple[str, float]], phrases: Sequence[str]) -> Decoded:
    """Which phrase the heard words, each with its confidence, are; "" for none or for more than one.

    Engines take a phrase list for a hint only (speech-reference 1), so that any mixture of its words can come. A phrase
    said twice counts as said. Every unknown word around it takes its share off the confidence.
    """
    if not heard:
        return Decoded("", 0.0)
    certainty = sum(confidence for _, confidence in heard) / len(heard)
    known = [(word, confidence) for word, confidence in heard if word != UNKNOWN_WORD]
    words = tuple(word for word, _ in known)
    for phrase in phrases:
        wanted = tuple(phrase.split())
        if words and wanted and words == wanted * (len(words) // len(wanted)):
            return Decoded(phrase, _certain(min(confidence for _, confidence in known) * len(known) / len(heard)))
    return Decoded("", _certain(certainty))


def _certain(confidence: float) -> float:
    return max(0.0, min(1.0, confidence))
