"""The life of one worker process, from its models' check to its end, whatever that is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import count

from firmware.errors import SpeechError
from firmware.ports import Grammar, Understood
from firmware.settings import SpeechSettings
from firmware.speech.messages import Began, Drop, Ended, Failed, Heard, Listen, Message, Prepared, Progress, Sound
from firmware.speech.pace import Pace, Patience
from firmware.speech.spoken import SpokenUtterance
from firmware.speech.vocabulary import Vocabulary, name_of
from firmware.speech.worker_process import WorkerProcess

# The worker tells its progress about four times a second of sound; less than this may be unread without its owing us.
_OWES_BEYOND_SECONDS = 0.5


class WorkerSession:
    """One worker. `languages` is empty before it is ready and after it has ended."""

    def __init__(
        self,
        settings: SpeechSettings,
        vocabulary: Vocabulary,
        patience: Patience,
        on_ready: Callable[[Sequence[str]], None],
        on_timely_result: Callable[[], None],
        deadly: frozenset[str] = frozenset(),
    ) -> None:
        self.languages: frozenset[str] = frozenset()
        self.too_slow = False
        self._settings = settings
        self._vocabulary = vocabulary
        self._patience = patience
        self._on_ready = on_ready
        self._on_timely_result = on_timely_result
        self._pace = Pace(patience.late_seconds)
        # A broken model can kill the process that loads it; one that did is not loaded again.
        self._wanted = [language for language in vocabulary.languages if language not in deadly]
        self._prepared = {language: Prepared(language, (), _kills(language)) for language in deadly}
        self._utterances: dict[int, SpokenUtterance] = {}
        self._numbers = count(1)
        self._worker: WorkerProcess | None = None
        self._deadline: asyncio.Timeout | None = None

    @property
    def loading(self) -> str | None:
        """The language whose model is being loaded; None once all are."""
        return next((language for language in self._wanted if language not in self._prepared), None)

    @property
    def process_id(self) -> int | None:
        """The worker's process; None where there is none."""
        return self._worker.process_id if self._worker else None

    async def serve(self, command: Sequence[str]) -> None:
        """Start a worker and follow it until it is of no use any more. Raises: SpeechError, which tells why."""
        if not self._wanted:
            raise SpeechError("; ".join(str(prepared.problem) for prepared in self._prepared.values()))
        self._worker = await WorkerProcess.start(command)
        try:
            for language in self._wanted:
                self._worker.send(self._vocabulary.prepare(language))
            async with asyncio.timeout(self._patience.prepare_seconds) as self._deadline:
                await self._worker.follow(self._take)
        except TimeoutError:
            raise SpeechError(self._why_given_up()) from None
        finally:
            await self._end()
        raise SpeechError("the speech worker ended unexpectedly; callers use the keypad until it runs again")

    def listen(self, grammar: Grammar) -> SpokenUtterance:
        """Begin an utterance; one that comes to nothing at once where the language is not understood."""
        utterance = SpokenUtterance(next(self._numbers), self._send, self._closed)
        settings = self._settings
        wish = Listen(
            utterance.number,
            grammar.language,
            grammar.phrases,
            settings.end_silence_seconds,
            settings.longest_answer_seconds,
        )
        if grammar.language in self.languages and self._worker and self._worker.send(wish):
            self._utterances[utterance.number] = utterance
        else:
            utterance.end(None)
        return utterance

    # --- to the worker

    def _send(self, sound: Sound) -> None:
        utterance = self._utterances[sound.utterance]
        if self._worker is None or not self._worker.send(sound):
            self._finish(utterance, None)
            return
        if utterance.sent.unread_seconds > self._patience.backlog_seconds:
            self._give_up_on_this_machine()
        elif self._deadline and self._deadline.when() is None and self._owes(utterance):
            self._wait_at_most(self._patience.reply_seconds)

    def _closed(self, utterance: SpokenUtterance) -> None:
        self._utterances.pop(utterance.number, None)
        if self._worker:
            self._worker.send(Drop(utterance.number))

    # --- from the worker

    def _take(self, message: Message) -> None:
        match message:
            case Prepared():
                self._take_prepared(message)
            case Progress() | Began() | Ended() | Heard() | Failed():
                # One that was closed may still be talked about.
                if (utterance := self._utterances.get(message.utterance)) is not None:
                    self._take_news(utterance, message)
            case _:
                raise SpeechError(f"the speech worker sent a request: {type(message).__name__}")
        if self.loading is None:
            owing = any(map(self._owes, self._utterances.values()))
            self._wait_at_most(self._patience.reply_seconds if owing else None)

    def _take_news(self, utterance: SpokenUtterance, news: Progress | Began | Ended | Heard | Failed) -> None:
        match news:
            case Progress(_, samples):
                utterance.sent.done(samples)
            case Began():
                utterance.begin()
            case Ended(_, _, decided_at):
                utterance.words_ended(decided_at)
            case Heard(_, text, confidence):
                self._finish(utterance, Understood(text, confidence))
                self._judge_pace(utterance)
            case Failed():
                self._finish(utterance, None)

    def _take_prepared(self, prepared: Prepared) -> None:
        if prepared.language not in self._wanted:
            raise SpeechError(f"the speech worker prepared {prepared.language!r}, which nobody asked for")
        self._prepared[prepared.language] = prepared
        if self.loading is not None:
            return
        verdicts = {language: self._vocabulary.judge(reply) for language, reply in self._prepared.items()}
        problems = [problem for _, problem in verdicts.values() if problem]
        languages = frozenset(language for language, (usable, _) in verdicts.items() if usable)
        if not languages:
            raise SpeechError("; ".join(problems))
        self.languages = languages
        self._on_ready(problems)

    def _judge_pace(self, utterance: SpokenUtterance) -> None:
        if utterance.ended_at is None:
            return
        waited_seconds = asyncio.get_running_loop().time() - utterance.ended_at
        if self._pace.result_came(waited_seconds):
            self._on_timely_result()
        elif self._pace.too_slow:
            self._give_up_on_this_machine()

    def _finish(self, utterance: SpokenUtterance, result: Understood | None) -> None:
        self._utterances.pop(utterance.number, None)
        utterance.end(result)

    # --- deadlines

    def _owes(self, utterance: SpokenUtterance) -> bool:
        return utterance.ended_at is not None or utterance.sent.unread_seconds > _OWES_BEYOND_SECONDS

    def _wait_at_most(self, seconds: float | None) -> None:
        if self._deadline and not self._deadline.expired() and not self.too_slow:
            self._deadline.reschedule(None if seconds is None else asyncio.get_running_loop().time() + seconds)

    def _give_up_on_this_machine(self) -> None:
        self._wait_at_most(0)
        self.too_slow = True

    def _why_given_up(self) -> str:
        if self.too_slow:
            return "this machine is too slow to understand speech now; callers use the keypad until it is tried again"
        return "the speech worker gave no sign of life and was ended; callers use the keypad until it runs again"

    async def _end(self) -> None:
        self.languages = frozenset()
        for utterance in list(self._utterances.values()):
            self._finish(utterance, None)
        worker, self._worker, self._deadline = self._worker, None, None
        if worker:
            await worker.end()


def _kills(language: str) -> str:
    name = name_of(language)
    return f"the speech model for {name} is broken: it ends whatever loads it; get a new one: linekeeper speech fetch"
