"""A simulated UPS behind a Unix socket: every client gets its state as JSON lines, at connect and at every change.

`{"mains": true, "battery_low": false, "at": 12.5}`, `at` in seconds of the event loop.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Self

from firmware.simulation.json_lines import JsonLinesServer, Message


class SimulatedUps:
    """Mains and battery as a bench sets them."""

    def __init__(self, path: Path) -> None:
        self._mains = True
        self._battery_low = False
        self._server = JsonLinesServer(path, lambda: [self.state()])

    @property
    def path(self) -> Path:
        """Where its socket is."""
        return self._server.path

    @property
    def mains(self) -> bool:
        """Whether there is mains power."""
        return self._mains

    @property
    def battery_low(self) -> bool:
        """Whether the battery is nearly empty."""
        return self._battery_low

    async def __aenter__(self) -> Self:
        await self._server.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._server.__aexit__(kind, error, trace)

    def set_mains(self, *, on: bool) -> None:
        """Mains fails or comes back; a charging battery is no longer low."""
        self._change(mains=on, battery_low=self._battery_low and not on)

    def set_battery_low(self, *, low: bool = True) -> None:
        """The battery is nearly empty, or no more."""
        self._change(mains=self._mains, battery_low=low)

    def state(self) -> Message:
        """What clients are told."""
        at_seconds = asyncio.get_running_loop().time()
        return {"mains": self._mains, "battery_low": self._battery_low, "at": at_seconds}

    def _change(self, *, mains: bool, battery_low: bool) -> None:
        if (mains, battery_low) == (self._mains, self._battery_low):
            return
        self._mains, self._battery_low = mains, battery_low
        self._server.say(self.state())
