"""Recordings through the same ears as calls, in this process: for `linekeeper listen`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from firmware.errors import SpeechError
from firmware.settings import SpeechSettings
from firmware.speech.answer import Answer
from firmware.speech.endpointing import Endpointer
from firmware.speech.engine import NOTHING, Decoded, SpeechEngine
from firmware.speech.engines import load_engine
from firmware.speech.vocabulary import languages_with_model, model_folder, name_of
from firmware.units import seconds_to_samples

_PIECE_BYTES = 2 * seconds_to_samples(0.1)


class OfflineRecognizer:
    """One model and one set of phrases, for many recordings."""

    def __init__(self, settings: SpeechSettings, language: str, phrases: Sequence[str]) -> None:
        """Raises: SpeechError without a model for the language, or for words that it does not know."""
        if language not in languages_with_model(settings):
            raise SpeechError(
                f"there is no speech model for {name_of(language)}; `linekeeper speech fetch` gets one, "
                "then name it in the configuration"
            )
        self._settings = settings
        self._phrases = phrases
        self._engine: SpeechEngine = load_engine(settings.engine, language, model_folder(settings, language))
        unknown = self._engine.missing_words([word for phrase in phrases for word in phrase.split()])
        if unknown:
            raise SpeechError(f"the speech model for {name_of(language)} does not know: {', '.join(unknown)}")

    def recognise(self, s16: bytes) -> Decoded:
        """Every answer in the recording, joined; the confidence is that of the least certain. Raises: SpeechError."""
        heard = [decoded for decoded in self._answers(s16) if decoded.text]
        if not heard:
            return NOTHING
        return Decoded(" ".join(one.text for one in heard), min(one.confidence for one in heard))

    def _answers(self, s16: bytes) -> list[Decoded]:
        # The silence that ends the last answer may not be in the recording.
        s16 += bytes(2 * seconds_to_samples(2 * self._settings.end_silence_seconds))
        pieces = [s16[at : at + _PIECE_BYTES] for at in range(0, len(s16), _PIECE_BYTES)]
        found: list[Decoded] = []
        numbers = count()
        answer = self._begin(next(numbers))
        for piece in pieces:
            answer.hear(piece)
            if answer.over:
                found.append(answer.decoded())
                answer = self._begin(next(numbers))
        return found

    def _begin(self, number: int) -> Answer:
        endpointer = Endpointer(self._settings.end_silence_seconds, self._settings.longest_answer_seconds)
        return Answer(number, self._engine.decoder(self._phrases), endpointer)
