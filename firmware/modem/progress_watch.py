"""Notices that something which should go on does not. One timer at most, and none while there is nothing to watch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class ProgressWatch:
    """Calls `stuck` once when no progress was told for so long; watches from `begin` to `end`."""

    def __init__(self, seconds: float, stuck: Callable[[], None]) -> None:
        self._seconds = seconds
        self._stuck = stuck
        self._loop = asyncio.get_running_loop()
        self._progress_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """From now on there is something that should make progress."""
        self.progress()
        if self._timer is None:
            self._look_later()

    def progress(self) -> None:
        """It goes on."""
        self._progress_at = self._loop.time()

    def end(self) -> None:
        """Nothing is left to make progress."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_later(self) -> None:
        self._timer = self._loop.call_at(self._progress_at + self._seconds, self._look)

    def _look(self) -> None:
        if self._loop.time() - self._progress_at < self._seconds:
            self._look_later()
            return
        self._timer = None
        self._stuck()
