"""How many messages wait for the office, and whether the store is well, for whoever shows it again and again."""

from __future__ import annotations

import asyncio
from typing import Protocol

from firmware.errors import StorageError

_GOOD_FOR_SECONDS = 2.0
# A store that is slow must not keep whoever asks from hearing of the rest.
_LONGEST_READ_SECONDS = 1.0


class CountingStore(Protocol):
    """What is told of the records, such as `Store`."""

    @property
    def trouble(self) -> str | None:
        """Why the database takes nothing."""

    async def count_waiting(self) -> int:
        """Messages that nobody has handled. Raises: StorageError."""


class WaitingMessages:
    """Counts them at most every other second, and remembers the last count while the store fails."""

    def __init__(self, store: CountingStore) -> None:
        self._store = store
        self._known = 0
        self._counted_at = float("-inf")
        self._fault: str | None = None

    @property
    def fault(self) -> str | None:
        """What is wrong with the store, as far as is known."""
        return self._store.trouble or self._fault

    async def count(self) -> int:
        """Messages that nobody has handled. Never raises."""
        now = asyncio.get_running_loop().time()
        if now - self._counted_at >= _GOOD_FOR_SECONDS:
            self._counted_at = now
            await self._read()
        return self._known

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(_LONGEST_READ_SECONDS):
                self._known = await self._store.count_waiting()
            self._fault = None
        except StorageError as error:
            self._fault = str(error)
        except TimeoutError:
            self._fault = "the database gives no answer; look for a program that holds it"
