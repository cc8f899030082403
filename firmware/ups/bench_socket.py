"""The socket of the bench's UPS: states as they change, asked for every second, and the command to cut.

The bench's own part is not imported: this is the wire that a rig or another bench may serve as well.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from firmware.errors import PowerSourceLost

ASK_SECONDS = 1.0
# It answers at once; asked so often in vain, it is dead.
SILENCE_SECONDS = 5.0

State = dict[str, Any]


class BenchSocket:
    """One connection."""

    def __init__(self, path: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._path = path
        self._reader = reader
        self._writer = writer

    async def states(self) -> AsyncGenerator[State, None]:
        """Each state as it comes, without an end. Raises: PowerSourceLost when none came for a while."""
        asking = asyncio.create_task(self._ask())
        try:
            while True:
                yield await self.answer("mains")
        finally:
            asking.cancel()

    async def answer(self, key: str) -> State:
        """The next message that has this key. Raises: PowerSourceLost."""
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                while key not in (message := await self._message()):
                    pass
        except TimeoutError as error:
            raise PowerSourceLost(f"the simulated UPS at {self._path} says nothing any more") from error
        return message

    def say(self, message: State) -> None:
        """Tell it something."""
        self._writer.write(json.dumps(message).encode() + b"\n")

    async def _ask(self) -> None:
        while True:
            await asyncio.sleep(ASK_SECONDS)
            self.say({"do": "state"})

    async def _message(self) -> State:
        try:
            line = await self._reader.readline()
            message = json.loads(line) if line else None
        except (OSError, ValueError, RecursionError) as error:
            raise PowerSourceLost(f"the simulated UPS at {self._path} talks nonsense: {error}") from error
        if message is None:
            raise PowerSourceLost(f"the simulated UPS at {self._path} closed its socket")
        return message if isinstance(message, dict) else {}


@asynccontextmanager
async def connected(path: Path) -> AsyncIterator[BenchSocket]:
    """Raises: PowerSourceLost."""
    try:
        reader, writer = await asyncio.open_unix_connection(path)
    except OSError as error:
        raise PowerSourceLost(
            f"no simulated UPS listens at {path} ({error.strerror or error}); start one with: linekeeper bench serve"
        ) from error
    try:
        yield BenchSocket(path, reader, writer)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
