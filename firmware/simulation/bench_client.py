"""A client of `linekeeper bench serve` in a process of its own: commands to its input, events from its output."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from firmware.simulation.json_lines import Message, as_line

Event = dict[str, Any]

_GOODBYE_SECONDS = 10.0


class ServedBench:
    """Runs while inside the context. `events` holds everything it said so far."""

    def __init__(self, lines: int, profile: str) -> None:
        self.events: list[Event] = []
        self._arguments = ("bench", "serve", "--lines", str(lines), "--profile", profile)
        self._process: Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._said = asyncio.Condition()

    async def __aenter__(self) -> Self:
        command = (sys.executable, "-m", "firmware.cli", *self._arguments)
        self._process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
        self._reading = asyncio.create_task(self._read(self._process))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._reading is not None
        self._process.stdin.close()
        async with asyncio.timeout(_GOODBYE_SECONDS):
            await self._process.wait()
            await self._reading

    def send(self, command: Message) -> None:
        """Give a command; what comes of it is told by events."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(as_line(command))

    async def event(self, wanted: Callable[[Event], bool], seconds: float = 30.0) -> Event:
        """The first event of a kind, past ones included. Raises: TimeoutError."""
        async with asyncio.timeout(seconds), self._said:
            while True:
                for event in self.events:
                    if wanted(event):
                        return event
                await self._said.wait()

    async def _read(self, process: Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            self.events.append(json.loads(line))
            async with self._said:
                self._said.notify_all()
