"""A recogniser that understands what a script says, in the event loop's time: for calls without a model."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from enum import Enum

from firmware.ports import Grammar, Understood, Utterance


class Silence(Enum):
    """Nobody says anything in this utterance."""

    KEPT = "kept"


ScriptedAnswer = Understood | Silence | None


class ScriptedRecognizer:
    """`ports.Recognizer`: the first utterance gets the first answer, and so on; after the last there is silence.

    None is a recogniser that fails in that utterance. Somebody speaks from `begins_seconds` after the question to
    `delay_seconds` after it, whatever is on the line; `grammars` holds what was asked.
    """

    def __init__(
        self,
        answers: Iterable[ScriptedAnswer],
        languages: Iterable[str],
        *,
        begins_seconds: float = 0.0,
        delay_seconds: float = 1.0,
    ) -> None:
        self.languages = frozenset(languages)
        self.grammars: list[Grammar] = []
        self._answers: Iterator[ScriptedAnswer] = iter(answers)
        self._begins_seconds = begins_seconds
        self._delay_seconds = delay_seconds

    def listen(self, grammar: Grammar) -> Utterance:
        """The next answer of the script, whatever the grammar; None at once in a language that is not understood."""
        self.grammars.append(grammar)
        if grammar.language not in self.languages:
            return ScriptedUtterance(None, 0.0, 0.0)
        return ScriptedUtterance(next(self._answers, Silence.KEPT), self._begins_seconds, self._delay_seconds)


class ScriptedUtterance:
    """`ports.Utterance` with a given answer. `heard_bytes` counts the sound that it was given."""

    def __init__(self, answer: ScriptedAnswer, begins_seconds: float, delay_seconds: float) -> None:
        self.heard_bytes = 0
        self._answer = answer
        self._closed = False
        self._over = asyncio.Event()
        if not isinstance(answer, Silence):
            loop = asyncio.get_running_loop()
            self._begins_at = loop.time() + begins_seconds
            self._timer = loop.call_later(delay_seconds, self._over.set)

    @property
    def speaking(self) -> bool:
        """Between the begin of the words and the answer."""
        waited_for = isinstance(self._answer, Understood) and not self._over.is_set()
        return waited_for and asyncio.get_running_loop().time() >= self._begins_at

    def hear(self, s16: bytes) -> None:
        """Counts the sound; the script alone decides what it means."""
        self.heard_bytes += len(s16)

    async def understood(self) -> Understood | None:
        """The scripted answer when its time has come; None after `close`."""
        await self._over.wait()
        return None if self._closed or isinstance(self._answer, Silence) else self._answer

    def close(self) -> None:
        """Nobody waits any more."""
        if not self._over.is_set():
            self._closed = True
            self._over.set()
        if not isinstance(self._answer, Silence):
            self._timer.cancel()
