"""A telephone line that notes what it is doing, and since when: what the line's guard judges by."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from enum import Enum

from firmware.events import CallerId
from firmware.ports import ModemIdentity, TelephoneLine, VoiceLine


class Stage(Enum):
    """What is asked of a line now; the values end the sentence "it hung while it was ...".

    `BETWEEN`: nothing; its keeper writes records, or waits before it looks for the modem again.
    """

    BETWEEN = "between two tasks"
    OPENING = "being opened"
    IDLE = "idle"
    RINGING = "ringing"
    ANSWERING = "being answered"
    IN_CALL = "in a call"
    HANGING_UP = "hanging up"
    RESETTING = "being reset"
    CLOSING = "being closed"


class WatchedLine:
    """A `ports.TelephoneLine` around another one."""

    def __init__(self, line: TelephoneLine) -> None:
        self._line = line
        self.stage = Stage.BETWEEN
        self._since: float | None = None

    @property
    def silent_seconds(self) -> float:
        """For how long this stage lasts without a sign of progress; an answer of the idle modem is one."""
        now = asyncio.get_running_loop().time()
        alive_at = self._line.last_proved_alive if self.stage is Stage.IDLE else None
        if self._since is None:
            self._since = now
        return now - max(self._since, self._since if alive_at is None else alive_at)

    def begin(self, stage: Stage) -> None:
        """A stage begins now, also where it is the same again."""
        self.stage, self._since = stage, asyncio.get_running_loop().time()

    @property
    def identity(self) -> ModemIdentity:
        """See `ports.TelephoneLine`."""
        return self._line.identity

    @property
    def last_proved_alive(self) -> float | None:
        """See `ports.TelephoneLine`."""
        return self._line.last_proved_alive

    async def open(self) -> None:
        """See `ports.TelephoneLine`."""
        with self._doing(Stage.OPENING):
            await self._line.open()

    async def wait_for_ring(self) -> None:
        """See `ports.TelephoneLine`."""
        with self._doing(Stage.IDLE):
            await self._line.wait_for_ring()

    async def read_caller(self, rings: int) -> CallerId | None:
        """See `ports.TelephoneLine`."""
        with self._doing(Stage.RINGING):
            return await self._line.read_caller(rings)

    def answer(self) -> AbstractAsyncContextManager[VoiceLine]:
        """See `ports.TelephoneLine`."""
        return self._answered()

    async def reset(self) -> None:
        """See `ports.TelephoneLine`."""
        with self._doing(Stage.RESETTING):
            await self._line.reset()

    async def close(self) -> None:
        """See `ports.TelephoneLine`."""
        with self._doing(Stage.CLOSING):
            await self._line.close()

    @contextmanager
    def _doing(self, stage: Stage) -> Iterator[None]:
        self.begin(stage)
        try:
            yield
        finally:
            self.begin(Stage.BETWEEN)

    @asynccontextmanager
    async def _answered(self) -> AsyncIterator[VoiceLine]:
        with self._doing(Stage.ANSWERING):
            async with self._line.answer() as voice:
                self.begin(Stage.IN_CALL)
                try:
                    yield voice
                finally:
                    self.begin(Stage.HANGING_UP)
