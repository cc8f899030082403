"""Speaking and listening in one call: every sentence, key and recording of it goes through here.

Watchers are told what the caller hears and keys. A part of an utterance is told when its utterance begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from firmware.errors import LinekeeperError
from firmware.events import KeyPressed, PromptStarted, WordsHeard
from firmware.ivr.listening import Listening, Words
from firmware.ports import CallWatcher, Clip, Grammar, PromptShelf, VoiceLine


class TimeIsUp(LinekeeperError):
    """The call has reached its longest time."""


@dataclass(frozen=True, slots=True)
class Digits:
    """Digits to be read one by one, as a part of an utterance."""

    digits: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A prompt, and what is said in its place in languages in which an answer by voice is understood."""

    prompt: str
    spoken: tuple[str, ...]


def say_or_press(prompt: str) -> Offer:
    """An offer whose form for answers by voice is named `..._spoken`."""
    return Offer(prompt, (f"{prompt}_spoken",))


def say_or_press_any(prompt: str) -> Offer:
    """An offer of several choices that would be too long with the words for each: one sentence in front does it."""
    return Offer(prompt, ("say_or_press", prompt))


Part = str | Digits | Offer | Clip
"""A prompt by its name, digits, a prompt in two forms, or sound that is no prompt."""


class Dialogue:
    """The caller's end of one call. `deadline` is on the event loop's clock."""

    def __init__(
        self,
        line: VoiceLine,
        shelf: PromptShelf,
        watcher: CallWatcher,
        names: tuple[str, str],
        listening: Listening,
        language: str,
        no_input_seconds: float,
        deadline: float,
    ) -> None:
        self.line = line
        self.shelf = shelf
        self.watcher = watcher
        self.line_name, self.call_id = names
        self.language = language
        self.answers_given = 0
        self._listening = listening
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

    async def say_whole(self, *parts: Part, languages: Sequence[str] = ()) -> None:
        """Speak what a caller has to hear: keys do not cut it short, and neither does the call's longest time."""
        await self._speak(parts, languages or (self.language,), barge_in=False)

    async def take_key(self) -> str | None:
        """The next key; None after the time for an answer."""
        self.seconds_left()
        key = await self.line.take_key(self._no_input_seconds)
        if key is not None:
            self.pressed(key)
        return key

    async def take_answer(self, grammars: Sequence[Grammar]) -> str | Words | None:
        """The next key, or what is said in one of the grammars; None after the time for an answer."""
        self.seconds_left()
        given = await self._listening.key_or_words(grammars, self._no_input_seconds)
        if isinstance(given, str):
            self.pressed(given)
        return given

    async def take_waiting(self, key: str) -> bool:
        """Take a key that waits already, and those before it. False where it does not wait."""
        if key not in self.line.waiting_keys:
            return False
        while await self.take_key() != key:
            pass
        return True

    def pressed(self, key: str) -> None:
        """Tell watchers of a key that the caller pressed."""
        self.answers_given += 1
        self.watcher(KeyPressed(self.line_name, self.call_id, key))

    def heard_words(self, text: str, confidence: float, key: str) -> None:
        """Tell watchers what the caller said, and which key it stands for."""
        self.answers_given += 1
        self.watcher(WordsHeard(self.line_name, self.call_id, text, confidence, key))

    async def beep(self) -> None:
        """The tone after which the caller speaks. Stale keys would end or spoil what follows, and are dropped."""
        self.seconds_left()
        await self.line.beep()
        self.line.forget_keys()

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
        if isinstance(part, Offer):
            names = part.spoken if self._listening.understands(language) else (part.prompt,)
            return [self.shelf.clip(name, language) for name in names]
        return [self.shelf.clip(part, language)]

    def _tell(self, part: Part, clips: Sequence[Clip], language: str) -> None:
        name = "digits" if isinstance(part, Digits) else clips[-1].prompt  # behind what introduces it
        text = " ".join(clip.text for clip in clips)
        self.watcher(PromptStarted(self.line_name, self.call_id, name, clips[0].language or language, text))
