"""Writes down messages after the call, in a process that gets only what time calls leave over."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Never

from firmware.errors import SpeechError
from firmware.journal import journal
from firmware.ports import Understood
from firmware.settings import SpeechSettings
from firmware.speech.messages import Dictate, Failed, Finish, Heard, Message, Prepare, Prepared, Sound
from firmware.speech.vocabulary import languages_with_model, model_folder
from firmware.speech.worker import BACKGROUND
from firmware.speech.worker_process import WORKER_COMMAND, WorkerProcess
from firmware.units import samples_to_seconds, seconds_to_samples

_ONLY = 1
_PIECE_BYTES = 2 * seconds_to_samples(1.0)
# With the lowest priority on a busy machine it may take many times as long as the message.
_LOADING_SECONDS = 300.0
_TIMES_THE_LENGTH = 30.0


class Transcriber:
    """One message at a time, each in a process that is gone afterwards, and its memory with it."""

    def __init__(self, settings: SpeechSettings, *, command: Sequence[str] = WORKER_COMMAND) -> None:
        self._settings = settings
        self._command = (*command, BACKGROUND)
        self._turn = asyncio.Lock()
        self._job: asyncio.Task[Understood] | None = None
        self._paused = False
        self._journal = journal("transcripts")

    def understands(self, language: str) -> bool:
        """Whether it makes sense to ask."""
        return self._settings.transcripts and language in languages_with_model(self._settings)

    async def transcribe(self, s16: bytes, language: str) -> Understood | None:
        """What is said in samples at 8 kHz; None where that cannot be known, or when it was stopped."""
        async with self._turn:
            if self._paused or not self.understands(language):
                return None
            self._job = asyncio.create_task(self._write_down(s16, language), name="transcript")
            try:
                await asyncio.wait([self._job])
                return self._outcome(self._job)
            finally:
                await self._end_job()

    async def pause(self) -> None:
        """Stop at once: a job under way is lost and gives None, as do others until `resume`."""
        self._paused = True
        await self._end_job()

    def resume(self) -> None:
        """Take jobs again."""
        self._paused = False

    async def _end_job(self) -> None:
        if self._job is not None:
            self._job.cancel()
            await asyncio.wait([self._job])

    def _outcome(self, job: asyncio.Task[Understood]) -> Understood | None:
        if job.cancelled():
            return None
        try:
            return job.result()
        except (SpeechError, TimeoutError) as error:
            self._journal.warning("no transcript", problem=str(error) or "it took too long")
            return None

    async def _write_down(self, s16: bytes, language: str) -> Understood:
        length_seconds = samples_to_seconds(len(s16) // 2)
        worker = await WorkerProcess.start(self._command)
        try:
            async with asyncio.timeout(_LOADING_SECONDS + _TIMES_THE_LENGTH * length_seconds):
                sending = asyncio.create_task(self._send(worker, s16, language))
                try:
                    return await self._result(worker)
                finally:
                    sending.cancel()
                    await asyncio.wait([sending])
        finally:
            await worker.end()

    async def _send(self, worker: WorkerProcess, s16: bytes, language: str) -> None:
        folder = model_folder(self._settings, language)
        worker.send(Prepare(self._settings.engine, language, str(folder) if folder else None, ()))
        worker.send(Dictate(_ONLY, language))
        for at in range(0, len(s16), _PIECE_BYTES):
            worker.send(Sound(_ONLY, s16[at : at + _PIECE_BYTES]))
            await worker.drain()
        worker.send(Finish(_ONLY))

    async def _result(self, worker: WorkerProcess) -> Understood:
        heard: asyncio.Future[Understood] = asyncio.get_running_loop().create_future()

        def take(message: Message) -> None:
            match message:
                case Prepared(_, _, problem) | Failed(_, problem) if problem is not None:
                    raise SpeechError(problem)
                case Heard(_, text, confidence):
                    heard.set_result(Understood(text, confidence))

        following = asyncio.create_task(worker.follow(take))
        either: list[asyncio.Future[Any]] = [heard, following]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            return heard.result() if heard.done() else await self._why(following)
        finally:
            following.cancel()
            await asyncio.wait([following])

    async def _why(self, following: asyncio.Task[None]) -> Never:
        await following
        raise SpeechError("the speech worker ended in the middle of a transcript")
