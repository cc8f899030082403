"""What a speech engine offers inside the worker process. Vosk and pocketsphinx are behind it, each in one module.

An engine module has `load(language, model)`, which `engines.load_engine` finds by the engine's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Decoded:
    """What an engine made of one utterance.

    `text` is one of the phrases asked for, or "" for speech that is none of them; in dictation, whatever was said.
    `confidence` is 0 to 1.
    """

    text: str
    confidence: float


NOTHING = Decoded("", 0.0)


class Decoder(Protocol):
    """Decodes one utterance and is then thrown away. The worker finds begin and end of the words, not the decoder."""

    def feed(self, s16: bytes) -> None:
        """The next samples at 8 kHz, whole samples in pieces of any length. The first piece holds a little silence."""

    def finish(self) -> Decoded:
        """After the last sample. Called once; nothing at all fed gives `NOTHING`. Raises: SpeechError."""


class SpeechEngine(Protocol):
    """One engine with the model of one language. Used from one thread; several decoders may be open at a time."""

    name: str

    def missing_words(self, words: Sequence[str]) -> list[str]:
        """Those of the words (not phrases) that the model cannot recognise, in the order given."""

    def decoder(self, phrases: Sequence[str]) -> Decoder:
        """Begin an utterance that should be one of these phrases (small letters). Raises: SpeechError."""

    def dictation(self) -> Decoder:
        """Begin free speech, for transcripts. Raises: SpeechError where the model has no language model for it."""


class EngineLoader(Protocol):
    """`load` of an engine module."""

    def __call__(self, language: str, model: Path | None, /) -> SpeechEngine:
        """Load the model and prove that it decodes. `model` is its folder or None for the engine's own.

        Raises: SpeechError with a sentence that says what is missing and what to do.
        """
