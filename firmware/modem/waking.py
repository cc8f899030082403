"""Waiting for a change of state, with a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Bell:
    """Rung at every change; whoever waits looks again then. Nothing is queued, so nothing is lost or stale."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Something changed."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    async def wait_until(self, condition: Callable[[], bool], timeout_seconds: float) -> bool:
        """Until the condition holds; False when it does not in time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_seconds
        while not condition():
            if loop.time() >= deadline:
                return False
            await self._next(deadline)
        return True

    async def _next(self, deadline: float) -> None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        timer = loop.call_at(deadline, _give_up, future)
        self._waiting.add(future)
        try:
            await future
        finally:
            timer.cancel()
            self._waiting.discard(future)


def _give_up(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
