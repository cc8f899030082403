"""Spreads what happens to whoever watches. A slow watcher loses its oldest events, and never slows a call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from firmware.events import CallEvent, LineChanged, LoadSwitched, PowerChanged

Event = CallEvent | LineChanged
PowerEvent = PowerChanged | LoadSwitched
E = TypeVar("E")
_MOST_WAITING_EVENTS = 500


class EventHub(Generic[E]):
    """What happens in one service, for many listeners. That of `calls` is a `ports.CallWatcher`."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[E | None]] = set()
        self._listeners: list[Callable[[E], None]] = []

    def __call__(self, event: E) -> None:
        """Tell everybody."""
        for listener in self._listeners:
            listener(event)
        self._spread(event)

    def close(self) -> None:
        """End every subscription."""
        self._spread(None)

    def _spread(self, event: E | None) -> None:
        for queue in self._queues:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)

    def listen(self, listener: Callable[[E], None]) -> None:
        """Call `listener` with every event, at once; it must not block or raise."""
        self._listeners.append(listener)

    @contextmanager
    def subscription(self) -> Iterator[AsyncIterator[E]]:
        """The events from now on; none is missed between entering and iterating."""
        queue: asyncio.Queue[E | None] = asyncio.Queue(_MOST_WAITING_EVENTS)
        self._queues.add(queue)
        try:
            yield _drain(queue)
        finally:
            self._queues.discard(queue)


async def _drain(queue: asyncio.Queue[E | None]) -> AsyncIterator[E]:
    while (event := await queue.get()) is not None:
        yield event


CallHub = EventHub[Event]
"""The hub of `calls`."""
PowerHub = EventHub[PowerEvent]
"""The hub of `power`."""
