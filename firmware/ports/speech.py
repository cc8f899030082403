"""What understands callers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from firmware.ports.line import SpeechEar


@dataclass(frozen=True, slots=True)
class Grammar:
    """What may be answered: phrases of one language, in the recogniser's spelling (small letters, no punctuation)."""

    language: str
    phrases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Understood:
    """What was heard: a phrase of the grammar, or "" for speech that is none of them. `confidence` is 0 to 1."""

    text: str
    confidence: float


class Utterance(SpeechEar, Protocol):
    """One answer by voice, from the first sample after the question to the end of the words."""

    @property
    def speaking(self) -> bool:
        """Whether somebody has begun to speak and has not come to an end."""

    async def understood(self) -> Understood | None:
        """Waits for the end of the words. None when nothing will come any more: the recogniser failed or stopped."""

    def close(self) -> None:
        """No answer is wanted any more. Idempotent."""


class Recognizer(Protocol):
    """Ears for speech. A failure in here never costs more than the answer by voice."""

    @property
    def languages(self) -> frozenset[str]:
        """Languages that are understood now; empty while the recogniser is missing, broken, too slow or stopped."""

    def listen(self, grammar: Grammar) -> Utterance:
        """Begin to listen for one answer. Never blocks or raises."""
