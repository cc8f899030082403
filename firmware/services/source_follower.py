"""Follows a power source for ever: opened again after every loss, and each loss told to the policy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from firmware.errors import PinError, PowerSourceLost
from firmware.journal import journal
from firmware.ports import PowerReading, PowerSource

_RETRY_SECONDS = 2.0

_log = journal("power")


class SourceFollower:
    """`heard` gets every reading, `lost` a sentence whenever there will be none for a while."""

    def __init__(self, source: PowerSource, heard: Callable[[PowerReading], None], lost: Callable[[str], None]) -> None:
        self._source = source
        self._heard = heard
        self._lost = lost
        self.latest: PowerReading | None = None
        """What it said last; None while it is lost."""
        self.tried = asyncio.Event()
        """Set once it has said something, or was found lost for the first time."""

    async def run(self) -> None:
        """For ever. Cancelled, it lets go of the source."""
        last_reason = ""
        while True:
            try:
                await self._follow()
            except (PowerSourceLost, PinError) as error:
                self.latest = None
                if str(error) != last_reason:
                    _log.warning("the power source is lost", source=self._source.place, error=str(error))
                last_reason = str(error)
                self._lost(str(error))
            self.tried.set()
            await asyncio.sleep(_RETRY_SECONDS)

    async def _follow(self) -> None:
        async with self._source:
            async for reading in self._source.readings():
                self.latest = reading
                self._heard(reading)
                self.tried.set()
