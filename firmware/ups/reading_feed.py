"""Readings on their way to whoever watches: every change in order, and the level again when it is due."""

from __future__ import annotations

import asyncio

from firmware.ports import PowerReading


class ReadingFeed:
    """A queue that remembers what it took last, so that only news is queued."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[PowerReading] = asyncio.Queue()
        self._latest: PowerReading | None = None

    def tell(self, reading: PowerReading) -> None:
        """Queued where it is news."""
        if reading != self._latest:
            self._latest = reading
            self._queue.put_nowait(reading)

    def begin(self, reading: PowerReading) -> None:
        """Somebody begins to watch: what was not taken is old, and this comes first."""
        self._queue = asyncio.Queue()
        self._latest = reading
        self._queue.put_nowait(reading)

    async def next(self, at_latest_seconds: float) -> PowerReading | None:
        """The next one; None where none came until this time of the loop."""
        if not self._queue.empty():
            return self._queue.get_nowait()
        try:
            async with asyncio.timeout_at(at_latest_seconds):
                return await self._queue.get()
        except TimeoutError:
            return None
