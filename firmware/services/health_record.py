"""How the appliance is, as a record that is delivered every now and then."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from firmware.errors import ServiceError, StorageError
from firmware.journal import journal
from firmware.ports import Clock
from firmware.services.peers import Peers
from firmware.services.version import version

# What runs beside us has started by then, so that the first record tells of it.
_FIRST_AFTER_SECONDS = 10.0
_LINE_FIELDS = ("name", "state", "modem", "firmware", "last_ring_at", "last_proved_alive_at", "fault")
_POWER_FIELDS = ("state", "since", "tier", "proved", "battery_percent", "temperature_celsius")

_log = journal("health")


class HealthKeeper(Protocol):
    """Keeps a health record; see `DiskOutbox.keep_health`."""

    async def keep_health(self, body: Mapping[str, Any]) -> str:
        """Returns its id. Raises: StorageError."""


class HealthRecords:
    """`run` it in a task of its own. `queue` tells the queue as it is."""

    def __init__(
        self,
        keeper: HealthKeeper,
        peers: Peers,
        clock: Clock,
        data_dir: Path,
        every_seconds: float,
        queue: Callable[[], Awaitable[Mapping[str, Any]]],
    ) -> None:
        self._keeper = keeper
        self._peers = peers
        self._clock = clock
        self._data_dir = data_dir
        self._every_seconds = every_seconds
        self._queue = queue

    async def run(self) -> None:
        """For ever."""
        await asyncio.sleep(min(_FIRST_AFTER_SECONDS, self._every_seconds))
        while True:
            try:
                await self._keeper.keep_health(await self.body())
            except StorageError as error:
                _log.warning("how the appliance is could not be recorded", error=str(error))
            await asyncio.sleep(self._every_seconds)

    async def body(self) -> dict[str, Any]:
        """What is told; None for what does not answer."""
        lines = await self._view("calls", "lines")
        power = await self._view("power", "status")
        return {
            "version": version(),
            "uptime_seconds": round(self._clock.monotonic()),
            "clock_trusted": self._clock.trusted(),
            "disk": await asyncio.to_thread(self._disk),
            "lines": [_chosen(line, _LINE_FIELDS) for line in lines] if isinstance(lines, list) else None,
            "power": _chosen(power, _POWER_FIELDS) if isinstance(power, dict) else None,
            "queue": await self._queue(),
        }

    async def _view(self, service: str, name: str) -> Any:
        try:
            return await self._peers.view(service, name)
        except ServiceError:
            return None

    def _disk(self) -> dict[str, int] | None:
        try:
            usage = shutil.disk_usage(self._data_dir)
        except OSError:
            return None
        return {"free_bytes": usage.free, "total_bytes": usage.total}


def _chosen(value: Any, fields: tuple[str, ...]) -> dict[str, Any]:
    return {name: value.get(name) for name in fields} if isinstance(value, dict) else {}
