"""Writes incidents in order and beside the work that meets them: what saves power never waits for a disk."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from firmware.journal import journal

# More than a day of faults has; a disk that takes nothing for longer loses the oldest.
_MOST_WAITING = 500

Write = Callable[..., Awaitable[None]]

_log = journal("incidents")


class Scribe:
    """One for a service. `run` belongs into a task of its own."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[tuple[Write, tuple[Any, ...]]] = asyncio.Queue(_MOST_WAITING)

    def write(self, write: Write, *words: object) -> None:
        """Write this after everything asked for before; never blocks. An `IncidentBook`'s method never raises."""
        if self._waiting.full():
            self._waiting.get_nowait()
            self._waiting.task_done()
            _log.warning("an incident was dropped: the disk takes none")
        self._waiting.put_nowait((write, words))

    async def run(self) -> None:
        """For ever."""
        while True:
            write, words = await self._waiting.get()
            try:
                await write(*words)
            finally:
                self._waiting.task_done()

    async def settled(self, timeout_seconds: float) -> bool:
        """Wait until all is written, but not for ever."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._waiting.join()
        except TimeoutError:
            return False
        return True
