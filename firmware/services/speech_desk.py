"""Speech in the calls service: the recogniser with its incident, and messages written down when time is left over."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from firmware.errors import StorageError
from firmware.events import MessageKept
from firmware.ivr.answers import every_phrase
from firmware.ivr.listening import DeafRecognizer
from firmware.journal import journal
from firmware.ports import Grammar, Recognizer
from firmware.services.event_hub import Event
from firmware.services.incident_book import IncidentBook
from firmware.services.supervisor import keep_alive
from firmware.settings import SpeechSettings
from firmware.speech.recognizer import WorkerRecognizer
from firmware.speech.transcriber import Transcriber
from firmware.storage.store import Store
from firmware.storage.transcript_rows import Untranscribed

NO_ENGINE = "none"
# A message whose transcript failed so often is left alone: it may be what breaks the recogniser.
_TRIES = 2

_log = journal("speech")


class SpeechDesk:
    """An asynchronous context manager: inside it, callers are understood as far as models allow.

    `recognizer` stands in for the configured one, for calls in simulated time.
    """

    def __init__(
        self, settings: SpeechSettings, languages: Sequence[str], store: Store, given: Recognizer | None
    ) -> None:
        self._sentences: asyncio.Queue[str | None] = asyncio.Queue()
        self._incident = IncidentBook(store, "speech", "voice")
        self._worker = None if given or settings.engine == NO_ENGINE else self._make_worker(settings, languages)
        self.recognizer: Recognizer = given or self._worker or DeafRecognizer()
        self._scribe = Scribe(settings, languages, store)
        self._started = AsyncExitStack()

    def happened(self, event: Event) -> None:
        """Follow the calls: a message may be there to write down."""
        if isinstance(event, MessageKept):
            self._scribe.wake()

    async def pause(self) -> None:
        """Save power: no answers by voice and no transcripts until `resume`. Calls go on by keypad."""
        await self._scribe.pause()
        if self._worker is not None:
            await self._worker.pause()

    def resume(self) -> None:
        """Understand callers again."""
        self._scribe.resume()
        if self._worker is not None:
            self._worker.resume()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as starting:
            if self._worker is None:
                self._sentences.put_nowait(None)  # ends what an earlier run left open, beside everything else
            else:
                await starting.enter_async_context(self._worker)
            for name, run in (("speech incidents", self._write_incidents), ("transcripts", self._scribe.run)):
                task = asyncio.create_task(keep_alive(name, run, self._crashed))
                starting.push_async_callback(_stop, task)
            self._started = starting.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._started.aclose()

    def _make_worker(self, settings: SpeechSettings, languages: Sequence[str]) -> WorkerRecognizer:
        phrases = every_phrase()
        grammars = [Grammar(language, phrases[language]) for language in languages]
        return WorkerRecognizer(
            settings, grammars, self._sentences.put_nowait, lambda: self._sentences.put_nowait(None)
        )

    async def _write_incidents(self) -> None:
        """The recogniser's troubles as an incident; a good start ends one that an earlier run left open."""
        if self._worker is not None and await self._checked(self._worker):
            await self._incident.end()
        while True:
            sentence = await self._sentences.get()
            if sentence is None:
                await self._incident.end()
            else:
                await self._incident.begin(sentence)

    async def _checked(self, worker: WorkerRecognizer) -> bool:
        await worker.checked()
        return self._sentences.empty()

    async def _crashed(self, error: Exception) -> None:
        await self._incident.begin(f"a part of speech was restarted after an internal error ({type(error).__name__})")


class Scribe:
    """Writes down one message after the other, oldest first."""

    def __init__(self, settings: SpeechSettings, languages: Sequence[str], store: Store) -> None:
        self._store = store
        self._transcriber = Transcriber(settings)
        self._languages = [language for language in languages if self._transcriber.understands(language)]
        self._wanted = asyncio.Event()
        self._wanted.set()  # messages of an earlier run may wait
        self._paused = False
        self._failures: Counter[str] = Counter()

    def wake(self) -> None:
        """There may be something to write down."""
        self._wanted.set()

    async def pause(self) -> None:
        """Stop at once; the message under way is begun again later."""
        self._paused = True
        await self._transcriber.pause()

    def resume(self) -> None:
        """Go on."""
        self._paused = False
        self._transcriber.resume()
        self.wake()

    async def run(self) -> None:
        """For ever. A disk that fails costs a try, not the rest."""
        while self._languages:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self._write_all()
            except StorageError as error:
                _log.warning("a transcript cannot be kept", error=str(error))
        await asyncio.Event().wait()

    async def _write_all(self) -> None:
        while not self._paused and (job := await self._store.next_untranscribed(self._languages)):
            await self._write(job)

    async def _write(self, job: Untranscribed) -> None:
        heard = await self._transcriber.transcribe(await self._store.message_audio(job.message_id), job.language)
        if heard is not None:
            await self._store.keep_transcript(job, heard.text, heard.confidence)
        elif not self._paused:
            self._failures[job.recording_id] += 1
            if self._failures[job.recording_id] >= _TRIES:
                await self._store.keep_transcript(job, "", 0.0)


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
