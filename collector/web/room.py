"""How much one copy has under way at once, so that memory and the database are spared before they suffer.

Two limits: bodies that are being read (slow lines hold them long, memory is what they cost) and requests at work (the
database is what they cost). Who finds no place is told to come later; each appliance has few places, so that one that
runs wild takes nothing from the others. Audio has at most half of the places at work, so that an object store which
hangs does not keep records out.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

from collector.refusals import Refusal, Why


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one copy."""

    bodies: int = 256
    """Being read or waiting; each up to 256 KiB."""
    working: int = 16
    wait_seconds: float = 5.0
    """For a place at work."""
    each_device: int = 4
    enrolling: int = 16


class Room:
    """Places for requests."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._present: Counter[str] = Counter()
        self._work = asyncio.Semaphore(limits.working)
        self._audio = asyncio.Semaphore(max(limits.working // 2, 1))
        self.present = 0
        self.working = 0

    @contextmanager
    def place(self, who: str) -> Iterator[None]:
        """A place for an appliance (or for enrolment: an empty name). Raises: Refusal (`unavailable`, `busy`)."""
        if self.present >= self._limits.bodies:
            raise Refusal(Why.UNAVAILABLE, "too many appliances at once; try again later")
        if self._present[who] >= (self._limits.each_device if who else self._limits.enrolling):
            raise Refusal(Why.BUSY, "too many requests at once; try again later")
        self.present += 1
        self._present[who] += 1
        try:
            yield
        finally:
            self.present -= 1
            self._present[who] -= 1
            if not self._present[who]:
                del self._present[who]

    @asynccontextmanager
    async def work(self, *, audio: bool = False) -> AsyncIterator[None]:
        """A place at work. Raises: Refusal (`unavailable`)."""
        async with AsyncExitStack() as places:
            try:
                async with asyncio.timeout(self._limits.wait_seconds):
                    for kind in (self._audio, self._work) if audio else (self._work,):
                        await places.enter_async_context(kind)
            except TimeoutError as error:
                raise Refusal(Why.UNAVAILABLE, "too much to do; try again later") from error
            self.working += 1
            try:
                yield
            finally:
                self.working -= 1
