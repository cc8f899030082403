"""Duties that come up again and again, beside the requests."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self

from collector.errors import CollectorError
from firmware.journal import journal

_log = journal("collector")
Duty = tuple[float, Callable[[], Awaitable[object]]]


class Periodic:
    """Does each duty about every so many seconds, for as long as the block lasts. One that fails is tried next time."""

    def __init__(self, duties: Mapping[str, Duty]) -> None:
        self._duties = duties
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(_repeat(name, *duty)) for name, duty in self._duties.items()]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task


async def _repeat(name: str, seconds: float, duty: Callable[[], Awaitable[object]]) -> None:
    while True:
        # Copies that started together do not all come at once.
        await asyncio.sleep(seconds * random.uniform(0.5, 1.0))
        try:
            await duty()
        except CollectorError as error:
            _log.warning("put off", duty=name, error=str(error))
