"""Speaking and listening in one call: every sentence, key and recording of it goes through here.

Watchers are told what the caller hears and keys. A part of an utterance is told when its utterance begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from firmware.errors import LinekeeperError
from firmware.events import KeyPressed, PromptStarted
from firmware.ivr.flow import BACK_KEY, REPEAT_KEY
from firmware.ports import CallWatcher, Clip, PromptShelf, VoiceLine

# A1: spoken help on the first invalid or silent entry, a graceful way out on the third.
_ENTRIES_BEFORE_WAY_OUT = 3


class TimeIsUp(LinekeeperError):
    """The call has reached its longest time."""


@dataclass(frozen=True, slots=True)
class Digits:
    """Digits to be read one by one, as a part of an utterance."""

    digits: str


Part = str | Digits | Clip
"""A prompt by its name, digits, or sound that is no prompt."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and the keys that answer it. Repeat and back are understood everywhere."""

    parts: tuple[Part, ...]
    keys: Sequence[str]
    help_prompt: str = "menu_help"
    has_back: bool = False
    silence: str | None = None
    """Taken for the answer where the caller says nothing; None counts it as a failed entry instead."""


class Dialogue:
    """The caller's end of one call. `deadline` is on the event loop's clock."""

    def __init__(
        self,
        line: VoiceLine,
        shelf: PromptShelf,
        watcher: CallWatcher,
        names: tuple[str, str],
        language: str,
        no_input_seconds: float,
        deadline: float,
    ) -> None:
        self.line = line
        self.shelf = shelf
        self.watcher = watcher
        self.line_name, self.call_id = names
        self.language = language
        self.keys_pressed = 0
        self._no_input_seconds = no_input_seconds
        self._deadline = deadline

    def seconds_left(self) -> float:
        """Time until the call's longest time. Raises: TimeIsUp when it is over."""
        left = self._deadline - asyncio.get_running_loop().time()
        if left <= 0:
            raise TimeIsUp
        return left

    async def say(self, *parts: Part, barge_in: bool = True, languages: Sequence[str] = ()) -> bool:
        """Speak the parts in one breath, in each of the languages. True when all was said."""
        self.seconds_left()
        return await self._speak(parts, languages or (self.language,), barge_in=barge_in)

    async def say_whole(self, *parts: Part) -> None:
        """Speak what a caller has to hear: keys do not cut it short, and neither does the call's longest time."""
        await self._speak(parts, (self.language,), barge_in=False)

    async def take_key(self) -> str | None:
        """The next key; None after the time for an answer."""
        self.seconds_left()
        key = await self.line.take_key(self._no_input_seconds)
        if key is not None:
            self.pressed(key)
        return key

    async def take_waiting(self, key: str) -> bool:
        """Take a key that waits already, and those before it. False where it does not wait."""
        if key not in self.line.waiting_keys:
            return False
        while await self.take_key() != key:
            pass
        return True

    def pressed(self, key: str) -> None:
        """Tell watchers of a key that the caller pressed."""
        self.keys_pressed += 1
        self.watcher(KeyPressed(self.line_name, self.call_id, key))

    async def beep(self) -> None:
        """The tone after which the caller speaks. Stale keys would end or spoil what follows, and are dropped."""
        self.seconds_left()
        await self.line.beep()
        self.line.forget_keys()

    async def choose(self, question: Question, languages: Sequence[str] = ()) -> str | None:
        """Ask until one of the keys, or back where there is a way back; None on the third failed entry."""
        helping: tuple[Part, ...] = ()
        failed = _FailedEntries(question.help_prompt)
        while True:
            await self.say(*helping, *question.parts, languages=languages)
            key = await self.take_key()
            if key is None and question.silence is not None:
                return question.silence
            if key is not None and (key in question.keys or (key == BACK_KEY and question.has_back)):
                return key
            if key == REPEAT_KEY:
                helping = ()
                continue
            helping = failed.add(key)
            if failed.used_up:
                return None

    async def _speak(self, parts: Sequence[Part], languages: Sequence[str], *, barge_in: bool) -> bool:
        clips: list[Clip] = []
        heard = not (barge_in and self.line.waiting_keys)
        for language in languages:
            for part in parts:
                found = self._clips(part, language)
                clips += found
                if heard and found:
                    self._tell(part, found, language)
        return await self.line.play(clips, barge_in=barge_in)

    def _clips(self, part: Part, language: str) -> list[Clip]:
        if isinstance(part, Clip):
            return [part]
        if isinstance(part, Digits):
            return self.shelf.digits(part.digits, language)
        return [self.shelf.clip(part, language)]

    def _tell(self, part: Part, clips: Sequence[Clip], language: str) -> None:
        name = "digits" if isinstance(part, Digits) else clips[0].prompt
        text = " ".join(clip.text for clip in clips)
        self.watcher(PromptStarted(self.line_name, self.call_id, name, clips[0].language or language, text))


class _FailedEntries:
    """Counts the failed entries at one question.

    Silent and wrong ones count together: A1 asks for help on the first invalid or silent entry and for a way out on
    the third, and a caller who mixes them is no less lost.
    """

    def __init__(self, help_prompt: str) -> None:
        self._help_prompt = help_prompt
        self._count = 0

    @property
    def used_up(self) -> bool:
        return self._count >= _ENTRIES_BEFORE_WAY_OUT

    def add(self, key: str | None) -> tuple[Part, ...]:
        """Count an entry; what to say before the question is asked again."""
        self._count += 1
        answer = "no_input" if key is None else "wrong_key"
        return (answer, self._help_prompt) if self._count == 1 and self._help_prompt else (answer,)
