"""What callers are understood in here: models loaded in a worker as in service, every word looked up."""

from __future__ import annotations

from collections.abc import Sequence

from firmware.ivr.answers import every_phrase
from firmware.ports import Grammar
from firmware.settings import SpeechSettings
from firmware.speech.recognizer import WorkerRecognizer


async def examine_speech(settings: SpeechSettings, languages: Sequence[str]) -> tuple[list[str], list[str]]:
    """The languages that are understood, and a sentence for each problem."""
    problems: list[str] = []
    phrases = every_phrase()
    grammars = [Grammar(language, phrases[language]) for language in languages]
    async with WorkerRecognizer(settings, grammars, problems.append, lambda: None) as recognizer:
        await recognizer.checked()
        return sorted(recognizer.languages), problems
