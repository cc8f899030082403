"""What an appliance wants to understand: its grammars by language, and which of them a model can serve."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from firmware.ports import Grammar
from firmware.settings import SpeechSettings
from firmware.speech.messages import Prepare, Prepared
from firmware.speech.phrases import words_of

_NAMES = {"en": "English", "zh": "Mandarin"}
# The one model that an engine's package carries (speech-reference 1).
_CARRIED = {("pocketsphinx", "en")}


def name_of(language: str) -> str:
    """A language's name for people."""
    return _NAMES.get(language, language)


def model_folder(settings: SpeechSettings, language: str) -> Path | None:
    """The configured folder of a language's model; None where there is none."""
    return {str(key): folder for key, folder in settings.models.items()}.get(language)


def languages_with_model(settings: SpeechSettings) -> list[str]:
    """Languages that can be understood with this configuration, if all is well."""
    if settings.engine == "none":
        return []
    carried = [language for engine, language in _CARRIED if engine == settings.engine]
    return sorted({*carried, *settings.models})


class Vocabulary:
    """The complete set of grammars, by language."""

    def __init__(self, settings: SpeechSettings, grammars: Sequence[Grammar]) -> None:
        self._settings = settings
        self._grammars = {
            language: [grammar for grammar in grammars if grammar.language == language]
            for language in languages_with_model(settings)
        }

    @property
    def languages(self) -> list[str]:
        """Languages in which something is asked and that have a model."""
        return [language for language, grammars in self._grammars.items() if grammars]

    def prepare(self, language: str) -> Prepare:
        """What a worker is told to load and check."""
        words = words_of(phrase for grammar in self._grammars[language] for phrase in grammar.phrases)
        folder = model_folder(self._settings, language)
        return Prepare(self._settings.engine, language, str(folder) if folder else None, tuple(words))

    def judge(self, prepared: Prepared) -> tuple[bool, str | None]:
        """Whether the language can be used as prepared, and what is wrong with it.

        An answer with words that the model does not know is left to the keypad. A language that has a question without
        any answer left is not used at all.
        """
        if prepared.problem is not None:
            return False, prepared.problem
        if not prepared.missing_words:
            return True, None
        missing = set(prepared.missing_words)
        problem = (
            f"the speech model for {name_of(prepared.language)} does not know: {', '.join(prepared.missing_words)}"
        )
        usable = all(
            any(missing.isdisjoint(phrase.split()) for phrase in grammar.phrases)
            for grammar in self._grammars[prepared.language]
        )
        return usable, problem
