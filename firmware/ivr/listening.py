"""Waiting for an answer, by key or by voice: whichever comes first. Keys never wait for the recogniser."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from firmware.ports import Grammar, Recognizer, Understood, Utterance, VoiceLine
from firmware.settings import SpeechSettings


class DeafRecognizer:
    """`ports.Recognizer` of an appliance that understands no speech."""

    languages: frozenset[str] = frozenset()

    def listen(self, grammar: Grammar) -> Utterance:
        """Is never asked, as it understands no language."""
        raise NotImplementedError(f"nothing listens in {grammar.language}")


@dataclass(frozen=True, slots=True)
class Words:
    """An answer by voice, and the language of the grammar that it answers."""

    language: str
    understood: Understood


class Listening:
    """The ears of one call."""

    def __init__(self, line: VoiceLine, recognizer: Recognizer, settings: SpeechSettings) -> None:
        self._line = line
        self._recognizer = recognizer
        self._settings = settings

    def understands(self, language: str) -> bool:
        """Whether an answer in this language can be given by voice now."""
        return language in self._recognizer.languages

    async def key_or_words(self, grammars: Sequence[Grammar], timeout_seconds: float) -> str | Words | None:
        """The next key, or what is said; None after the time-out. Somebody who is speaking then may finish.

        Raises: CallerGone, ModemError, PortError.
        """
        understood = [grammar for grammar in grammars if self.understands(grammar.language)]
        if not understood or self._line.waiting_keys:
            return await self._line.take_key(timeout_seconds)
        answer = _Answer(self._recognizer, understood)
        try:
            with self._line.hearing(answer):
                return await self._first(answer, timeout_seconds)
        finally:
            answer.close()

    async def _first(self, answer: _Answer, timeout_seconds: float) -> str | Words | None:
        words = asyncio.ensure_future(answer.words())
        key = asyncio.ensure_future(self._key(answer, timeout_seconds))
        try:
            await asyncio.wait((words, key), return_when=asyncio.FIRST_COMPLETED)
            if words.done() and words.result() is not None and not key.done():
                return words.result()
            # A key counts before words; without a recogniser it is all there is.
            return await key
        finally:
            await _end(words, key)

    async def _key(self, answer: _Answer, timeout_seconds: float) -> str | None:
        key = await self._line.take_key(timeout_seconds)
        if key is None and answer.speaking:
            return await self._line.take_key(self._settings.longest_answer_seconds)
        return key


class _Answer:
    """One answer, listened for in one or more languages at once. `ports.SpeechEar`."""

    def __init__(self, recognizer: Recognizer, grammars: Sequence[Grammar]) -> None:
        self._utterances = [(grammar.language, recognizer.listen(grammar)) for grammar in grammars]

    @property
    def speaking(self) -> bool:
        return any(utterance.speaking for _, utterance in self._utterances)

    def hear(self, s16: bytes) -> None:
        for _, utterance in self._utterances:
            utterance.hear(s16)

    async def words(self) -> Words | None:
        """The best of what the languages make of it; None where no recogniser follows any more."""
        results = await asyncio.gather(*(utterance.understood() for _, utterance in self._utterances))
        heard = [
            Words(language, result)
            for (language, _), result in zip(self._utterances, results, strict=True)
            if result is not None
        ]
        return max(heard, key=lambda words: (bool(words.understood.text), words.understood.confidence), default=None)

    def close(self) -> None:
        for _, utterance in self._utterances:
            utterance.close()


async def _end(*tasks: asyncio.Future[str | None] | asyncio.Future[Words | None]) -> None:
    """End what still waits, and wait until it has: the line is used again next."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
