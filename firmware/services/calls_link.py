"""The power service's view of the calls service: how it is, and whether it knows that the battery is low."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from firmware.errors import ServiceError
from firmware.journal import journal
from firmware.services.peers import Peers

_LOOK_SECONDS = 2.0
_LOOK_WHILE_LOW_SECONDS = 0.5

_log = journal("power")


class CallsLink:
    """Looks at calls again and again, and tells it of a low battery as often as it takes: it may have been restarted.

    `changed` is called after every look.
    """

    def __init__(self, peers: Peers, changed: Callable[[], None]) -> None:
        self._peers = peers
        self._changed = changed
        self.battery_low: bool | None = None
        """What calls is to know of; None while that is not known, and calls is left as it is."""
        self._kicked = asyncio.Event()
        self.status: dict[str, Any] | None = None
        """What calls last told of itself; None while it does not answer."""

    @property
    def quiet(self) -> bool:
        """Whether calls said that nobody is on the telephone any more and everything is on the disk."""
        return bool(self.battery_low) and self.status is not None and bool(self.status.get("quiet"))

    def set_battery_low(self, low: bool) -> None:
        """Callers are to be told and released, or everything is as before."""
        self.battery_low = low
        self._kicked.set()

    async def run(self) -> None:
        """For ever."""
        while True:
            self._kicked.clear()
            await self._look()
            self._changed()
            pause = _LOOK_WHILE_LOW_SECONDS if self.battery_low else _LOOK_SECONDS
            try:
                async with asyncio.timeout(pause):
                    await self._kicked.wait()
            except TimeoutError:
                continue

    async def _look(self) -> None:
        try:
            status = await self._peers.view("calls", "status")
            low = self.battery_low
            if low is not None and bool(status.get("low_battery")) is not low:
                await self._peers.ask("calls", "low_battery", on=low)
                status = await self._peers.view("calls", "status")
        except ServiceError as error:
            if self.status is not None:
                _log.warning("calls cannot be reached", error=str(error))
            status = None
        self.status = status
