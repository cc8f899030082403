"""Makes recognisers for tests, real ones with a real worker process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from firmware.ports import Grammar, Understood, Utterance
from firmware.settings import SpeechSettings
from firmware.speech.pace import Patience
from firmware.speech.recognizer import WorkerRecognizer

WORDS = Grammar("en", ("yes", "no", "message", "operator"))
QUICK = Patience(restart_seconds=0.05, reply_seconds=1.5, rest_seconds=0.3)
PIECE_BYTES = 1600


@dataclass
class Told:
    """What the incident line was told."""

    problems: list[str] = field(default_factory=list)
    recoveries: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def problem(self, sentence: str) -> None:
        self.problems.append(sentence)
        self.news.set()

    def recovered(self) -> None:
        self.recoveries += 1
        self.news.set()


def speech_settings(engine: str, models: dict[str, Path], **more: Any) -> SpeechSettings:
    return SpeechSettings.model_validate({"engine": engine, "models": models, **more})


@asynccontextmanager
async def vosk_recognizer(
    model: Path, told: Told | None = None, grammars: Sequence[Grammar] = (WORDS,), **options: Any
) -> AsyncIterator[WorkerRecognizer]:
    """One with the given English model, checked."""
    told = told or Told()
    options = {"patience": QUICK, **options}
    settings = speech_settings("vosk", {"en": model})
    async with WorkerRecognizer(settings, grammars, told.problem, told.recovered, **options) as recognizer:
        await recognizer.checked()
        yield recognizer


def hear(utterance: Utterance, s16: bytes) -> None:
    for at in range(0, len(s16), PIECE_BYTES):
        utterance.hear(s16[at : at + PIECE_BYTES])


async def result_of(utterance: Utterance, timeout_seconds: float = 10.0) -> Understood | None:
    async with asyncio.timeout(timeout_seconds):
        return await utterance.understood()


async def until(told: Told, *, problems: int = 0, recoveries: int = 0, timeout_seconds: float = 15.0) -> None:
    """Until so much was told."""
    async with asyncio.timeout(timeout_seconds):
        while len(told.problems) < problems or told.recoveries < recoveries:
            told.news.clear()
            await told.news.wait()
