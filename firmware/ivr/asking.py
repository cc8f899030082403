"""Asking a caller to choose: by key, or by voice where the language is understood.

Words that were understood with little confidence are confirmed; words that were not count as a failed entry, and the
keys are always there (A1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from firmware.ivr.answers import BACK, NO, REPEAT, YES, Vocabulary, vocabulary
from firmware.ivr.dialogue import Dialogue, Part, say_or_press
from firmware.ivr.flow import BACK_KEY, REPEAT_KEY
from firmware.ivr.listening import Words
from firmware.ivr.spoken_answer import SpokenAnswer
from firmware.ports import Grammar
from firmware.settings import SpeechSettings

# A1: spoken help on the first invalid or silent entry, a graceful way out on the third.
_ENTRIES_BEFORE_WAY_OUT = 3
_YES_KEY, _NO_KEY = "1", "2"
_NOT_UNDERSTOOD = ""

HELP: Part = say_or_press("menu_help")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and the keys that answer it. Repeat and back are understood everywhere.

    `answers` are those that can be given by voice as well, by their keys; without any, nobody listens.
    """

    parts: tuple[Part, ...]
    keys: Sequence[str]
    help_prompt: Part | None = HELP
    has_back: bool = False
    silence: str | None = None
    """Taken for the answer where the caller says nothing; None counts it as a failed entry instead."""
    answers: Mapping[str, SpokenAnswer] = field(default_factory=dict)

    def vocabularies(self, languages: Sequence[str]) -> list[Vocabulary]:
        """The words of each language; none for a question by keys alone."""
        if not self.answers:
            return []
        return [vocabulary(self.answers, language, has_back=self.has_back) for language in languages]

    def takes(self, key: str) -> bool:
        """Whether a key is an answer."""
        return key in self.keys or (key == BACK_KEY and self.has_back)

    def answer(self, key: str) -> SpokenAnswer:
        """What a key that was said stands for."""
        return self.answers.get(key) or {REPEAT_KEY: REPEAT, BACK_KEY: BACK}[key]


_CONFIRM = Question(("heard_confirm",), (_YES_KEY, _NO_KEY), answers={_YES_KEY: YES, _NO_KEY: NO})


class Asker:
    """Asks the questions of one call."""

    def __init__(self, talk: Dialogue, settings: SpeechSettings) -> None:
        self._talk = talk
        self._settings = settings

    async def choose(self, question: Question, languages: Sequence[str] = ()) -> str | None:
        """Ask until one of the keys, or back where there is a way back; None on the third failed entry."""
        helping: tuple[Part, ...] = ()
        failed = _FailedEntries(question.help_prompt)
        while True:
            await self._talk.say(*helping, *question.parts, languages=languages)
            key = await self._entry(question, languages or (self._talk.language,))
            if key is None and question.silence is not None:
                return question.silence
            if key is not None and question.takes(key):
                return key
            if key == REPEAT_KEY:
                helping = ()
                continue
            helping = failed.add(key)
            if failed.used_up:
                return None

    async def _entry(self, question: Question, languages: Sequence[str]) -> str | None:
        """A key, or the one that the caller's words stand for; None for silence."""
        given = await self._listen(question, languages)
        if not isinstance(given, _Said):
            return given
        if given.sure:
            return given.key
        return await self._confirm(question.answer(given.key), given)

    async def _confirm(self, answer: SpokenAnswer, said: _Said) -> str | None:
        await self._talk.say("heard", answer.prompt, *_CONFIRM.parts, languages=(said.language,))
        reply = await self._listen(_CONFIRM, (said.language,))
        agreed = reply.key if isinstance(reply, _Said) else reply
        if agreed == _YES_KEY:
            return said.key
        return None if agreed is None else _NOT_UNDERSTOOD

    async def _listen(self, question: Question, languages: Sequence[str]) -> str | _Said | None:
        """A key; what was said; not-understood for words that mean nothing here; None for silence."""
        spoken = {words.language: words for words in question.vocabularies(languages)}
        grammars = [Grammar(language, tuple(words.keys)) for language, words in spoken.items()]
        given = await self._talk.take_answer(grammars)
        if not isinstance(given, Words):
            return given
        understood = given.understood
        key = spoken[given.language].keys.get(understood.text, _NOT_UNDERSTOOD)
        if understood.confidence < self._settings.ignore_below:
            key = _NOT_UNDERSTOOD
        self._talk.heard_words(understood.text, understood.confidence, key)
        if not key:
            return _NOT_UNDERSTOOD
        return _Said(given.language, key, sure=understood.confidence >= self._settings.confirm_below)


@dataclass(frozen=True, slots=True)
class _Said:
    """Words that stand for a key."""

    language: str
    key: str
    sure: bool


class _FailedEntries:
    """Counts the failed entries at one question.

    Silent, wrong and misunderstood ones count together: A1 asks for help on the first invalid or silent entry and for a
    way out on the third, and a caller who mixes them is no less lost.
    """

    _ANSWERS: Mapping[str | None, str] = {None: "no_input", _NOT_UNDERSTOOD: "not_understood"}

    def __init__(self, help_prompt: Part | None) -> None:
        self._help_prompt = help_prompt
        self._count = 0

    @property
    def used_up(self) -> bool:
        return self._count >= _ENTRIES_BEFORE_WAY_OUT

    def add(self, key: str | None) -> tuple[Part, ...]:
        """Count an entry; what to say before the question is asked again."""
        self._count += 1
        answer = self._ANSWERS.get(key, "wrong_key")
        return (answer, self._help_prompt) if self._count == 1 and self._help_prompt else (answer,)
