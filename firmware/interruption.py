"""Breaks off what a task waits for, so that it can do something else first; no cancellation, which would end it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from firmware.errors import LinekeeperError


class Interrupted(LinekeeperError):
    """What was waited for was broken off by `Interruption.ask`."""


class Interruption:
    """One wish of others to one task. It stays until it is withdrawn."""

    def __init__(self) -> None:
        self._inside: asyncio.Timeout | None = None
        self._withdrawn = asyncio.Event()
        self._withdrawn.set()

    @property
    def asked(self) -> bool:
        """Whether the wish stands."""
        return not self._withdrawn.is_set()

    def ask(self) -> None:
        """Break off what goes on inside `breakable`, now or as soon as it is entered. Idempotent."""
        self._withdrawn.clear()
        inside, self._inside = self._inside, None
        if inside is not None:
            inside.reschedule(asyncio.get_running_loop().time())

    def withdraw(self) -> None:
        """The wish is over. What was broken off already stays so."""
        self._withdrawn.set()

    async def withdrawn(self) -> None:
        """Until the wish is over; at once where there is none."""
        await self._withdrawn.wait()

    @asynccontextmanager
    async def breakable(self) -> AsyncIterator[None]:
        """What is awaited inside may be broken off. One task, one place at a time. Raises: Interrupted."""
        if self.asked:
            raise Interrupted
        try:
            async with asyncio.timeout(None) as inside:
                self._inside = inside
                try:
                    yield
                finally:
                    self._inside = None
        except TimeoutError:
            if inside.expired():
                raise Interrupted from None
            raise
