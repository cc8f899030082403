"""A running worker process, seen from its parent: messages in and out, and a sure end."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress

from firmware.errors import SpeechError
from firmware.speech.framing import FrameReader, frame
from firmware.speech.messages import Message, from_payload, to_payload

WORKER_COMMAND = (sys.executable, "-m", "firmware.speech.worker")
# Some 16 s of sound of one line, on top of the 64 KiB that the pipe takes: no healthy worker leaves so much unread.
_UNREAD_LIMIT_BYTES = 1 << 18
_READ_BYTES = 1 << 16


class WorkerProcess:
    """One process. `follow` must run for replies to come; `end` leaves no process behind."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._requests = process.stdin
        self._replies = process.stdout

    @classmethod
    async def start(cls, command: Sequence[str] = WORKER_COMMAND) -> WorkerProcess:
        """Start a worker. Raises: SpeechError."""
        try:
            # In a session of its own, so that Ctrl-C in a terminal is our business and not the worker's.
            process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, start_new_session=True)
        except OSError as error:
            raise SpeechError(f"the speech worker cannot be started: {error}") from error
        return cls(process)

    @property
    def process_id(self) -> int:
        """For whoever watches memory, or kills it in a test."""
        return self._process.pid

    def send(self, message: Message) -> bool:
        """Queue a message; never blocks. False where too much is unread, or nobody is left to read it."""
        transport = self._requests.transport
        if transport.is_closing() or transport.get_write_buffer_size() > _UNREAD_LIMIT_BYTES:
            return False
        self._requests.write(frame(to_payload(message)))
        return True

    async def drain(self) -> None:
        """Wait until the worker has read most of what was sent."""
        with suppress(ConnectionError):  # `follow` tells of that
            await self._requests.drain()

    async def follow(self, on_reply: Callable[[Message], None]) -> None:
        """Hand over replies until the process has ended. Raises: SpeechError where it sends something else."""
        reader = FrameReader()
        while data := await self._replies.read(_READ_BYTES):
            for payload in reader.read(data):
                on_reply(from_payload(payload))

    async def end(self) -> None:
        """Kill it and collect it, whatever state it is in."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        self._requests.close()
        with suppress(ConnectionError):
            await self._requests.wait_closed()
