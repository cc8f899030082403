"""The state of a queue as it was a moment ago: it is counted at most so often."""

from __future__ import annotations

import asyncio

from firmware.ports import Outbox, QueueState

# Counting a long queue takes longer than delivering a batch; nobody needs it for every batch.
_GOOD_FOR_SECONDS = 5.0


class QueueView:
    """Of one route."""

    def __init__(self, outbox: Outbox, route: str) -> None:
        self._outbox = outbox
        self._route = route
        self._state: QueueState | None = None
        self._at_seconds = 0.0

    async def recent(self) -> QueueState:
        """At most some seconds old. Raises: StorageError."""
        now_seconds = asyncio.get_running_loop().time()
        if self._state is None or now_seconds - self._at_seconds > _GOOD_FOR_SECONDS:
            self._state = await self._outbox.state(self._route)
            self._at_seconds = now_seconds
        return self._state
