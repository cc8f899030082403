"""Spreads what happens to whoever watches. A slow watcher loses its oldest events, and never slows a call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

from firmware.events import CallEvent, LineChanged

Event = CallEvent | LineChanged
_MOST_WAITING_EVENTS = 500


class EventHub:
    """A `ports.CallWatcher` with many listeners."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[Event | None]] = set()
        self._listeners: list[Callable[[Event], None]] = []

    def __call__(self, event: Event) -> None:
        """Tell everybody."""
        for listener in self._listeners:
            listener(event)
        self._spread(event)

    def close(self) -> None:
        """End every subscription."""
        self._spread(None)

    def _spread(self, event: Event | None) -> None:
        for queue in self._queues:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Call `listener` with every event, at once; it must not block or raise."""
        self._listeners.append(listener)

    @contextmanager
    def subscription(self) -> Iterator[AsyncIterator[Event]]:
        """The events from now on; none is missed between entering and iterating."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue(_MOST_WAITING_EVENTS)
        self._queues.add(queue)
        try:
            yield _drain(queue)
        finally:
            self._queues.discard(queue)


async def _drain(queue: asyncio.Queue[Event | None]) -> AsyncIterator[Event]:
    while (event := await queue.get()) is not None:
        yield event
