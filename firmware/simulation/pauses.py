"""Waiting that something else may cut short."""

from __future__ import annotations

import asyncio


class Pauses:
    """Any number of waiters; `wake` ends all of their pauses. Cheaper than an event under a time-out."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    async def pause(self, seconds: float | None) -> None:
        """Until the time has passed (None: for ever), or `wake`."""
        loop = asyncio.get_running_loop()
        waiter = loop.create_future()
        self._waiters.add(waiter)
        timer = None if seconds is None else loop.call_later(seconds, _resolve, waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)
            if timer is not None:
                timer.cancel()

    def wake(self) -> None:
        """End every pause."""
        for waiter in self._waiters:
            _resolve(waiter)


def _resolve(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
