"""Waits that can be cut short."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator


class Waiting:
    """For one task. `wake` ends a wait for something new; with `hurry`, any wait."""

    def __init__(self, look_seconds: float) -> None:
        self._look_seconds = look_seconds
        self._news = asyncio.Event()
        self._hurry = asyncio.Event()
        self._ends_seconds = 0.0
        self.why: str | None = None
        """What is waited for, while somebody waits."""

    def wake(self, *, hurry: bool) -> None:
        """What is waited for is here; nothing is lost where nobody waits yet."""
        self._news.set()
        if hurry:
            self._hurry.set()

    def left_seconds(self) -> float:
        """Of the present `rest`."""
        return max(0.0, self._ends_seconds - asyncio.get_running_loop().time())

    async def rest(self, seconds: float, why: str = "waits") -> None:
        """So long, unless somebody is in a hurry."""
        self._ends_seconds = asyncio.get_running_loop().time() + seconds
        with self._saying(why), contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), max(0.0, seconds))
        self._hurry.clear()

    async def until(self, there: Callable[[], bool], most_seconds: float) -> None:
        """Until `there` says so, or news come; at most so long."""
        loop = asyncio.get_running_loop()
        ends_seconds = loop.time() + most_seconds
        with self._saying("waits for something to deliver"):
            while not there() and (left_seconds := ends_seconds - loop.time()) > 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), min(self._look_seconds, left_seconds))
                    break
        self._news.clear()
        self._hurry.clear()

    @contextlib.contextmanager
    def _saying(self, why: str) -> Iterator[None]:
        self.why = why
        try:
            yield
        finally:
            self.why = None
