"""`PowerSource` over NUT's server: a UPS on USB or a serial port, driven by one of NUT's drivers.

Mains loss is seen one poll after the server knows of it. The server knows as soon as its driver has asked the UPS, by
default every 2 s (`pollinterval` in ups.conf), so that a loss shows within some 3 s.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Self

from firmware.errors import PowerSourceLost
from firmware.ports import PowerReading
from firmware.ups.nut_client import NutClient, NutRefusal
from firmware.ups.nut_status import reading_from

POLL_SECONDS = 1.0
# Cuts the output after the driver's `offdelay`, and gives it again with mains. `shutdown.stayoff` is no way out: the
# appliance must start by itself when mains returns.
_CUT = "shutdown.return"


class NutSource:
    """Connects anew whenever somebody begins to read after a loss. One reader at a time."""

    def __init__(
        self, host: str, port: int, ups: str, user: str | None = None, password_file: Path | None = None
    ) -> None:
        self._host = host
        self._port = port
        self._ups = ups
        self._user = user
        self._password_file = password_file
        self._first: PowerReading | None = None

    @property
    def place(self) -> str:
        """What is watched."""
        return f"UPS {self._ups} of the server {self._host}:{self._port}"

    async def __aenter__(self) -> Self:
        async with self._connected() as client:
            await client.variables(self._ups)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held between readings."""

    async def readings(self) -> AsyncIterator[PowerReading]:
        """See `ports.PowerSource`. After PowerSourceLost, a new call connects anew."""
        loop = asyncio.get_running_loop()
        async with self._connected() as client:
            due_seconds = loop.time()
            while True:
                yield reading_from(await client.variables(self._ups))
                # A slow answer or a slow reader shifts the beat rather than making it hurry.
                due_seconds = max(due_seconds + POLL_SECONDS, loop.time())
                await asyncio.sleep(due_seconds - loop.time())

    async def cut_power(self) -> bool:
        """See `ports.PowerSource`. False where the driver has no such command, or no user is configured for it."""
        if self._user is None or self._password_file is None:
            return False
        password = await asyncio.to_thread(_read_password, self._password_file)
        async with self._connected() as client:
            if _CUT not in await client.commands(self._ups):
                return False
            await client.log_in(self._user, password)
            try:
                await client.command(self._ups, _CUT)
            except NutRefusal as error:
                if error.code == "CMD-NOT-SUPPORTED":
                    return False
                raise
        return True

    def _connected(self) -> NutClient:
        return NutClient(self._host, self._port)


def _read_password(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise PowerSourceLost(f"the password of the UPS server cannot be read from {file}: {error}") from error
