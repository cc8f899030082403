"""The sync service. Delivery is off in this version: it says so, and keeps the pace that the power service sets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from firmware.errors import ServiceError
from firmware.services.alive import control_probe
from firmware.services.control import ControlServer
from firmware.services.control_client import ControlClient
from firmware.services.event_hub import EventHub
from firmware.services.paths import control_socket
from firmware.services.service import Probe
from firmware.settings import Settings

_SLOWEST_SECONDS = 86_400.0


class SyncService:
    """Socket `sync.sock`: the view `status`, and the action `pace` with `every_seconds` (null: as fast as it likes)."""

    def __init__(self, settings: Settings) -> None:
        self._mode = settings.sync.mode
        self._every_seconds: float | None = None
        self._path = control_socket(settings, "sync")
        hub: EventHub[Any] = EventHub()
        self._control = ControlServer(self._path, {"status": self.status}, hub, actions={"pace": self._pace})

    async def __aenter__(self) -> Self:
        await self._control.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._control.stop()

    async def ready(self) -> None:
        """At once."""

    def probes(self) -> Sequence[Probe]:
        """Its socket."""
        return [control_probe(self._path)]

    def sentence(self) -> str:
        """What it delivers."""
        return "sync is off; records stay on this appliance"

    def status(self) -> dict[str, Any]:
        """The fields of `sync status`, and the pace."""
        return {**_nothing_delivered(self._mode), "every_seconds": self._every_seconds}

    async def _pace(self, request: dict[str, Any]) -> dict[str, Any]:
        every_seconds = request.get("every_seconds")
        if every_seconds is not None and not _is_pace(every_seconds):
            raise ServiceError(f"every_seconds is a number up to {_SLOWEST_SECONDS:g}, or null")
        self._every_seconds = every_seconds
        return self.status()


def sync_status(settings: Settings) -> dict[str, Any]:
    """From the running service, else from the configuration."""
    try:
        status: dict[str, Any] = ControlClient(control_socket(settings, "sync")).get("status")
    except ServiceError:
        return {**_nothing_delivered(settings.sync.mode), "every_seconds": None}
    return status


def _nothing_delivered(mode: str) -> dict[str, Any]:
    return {"mode": mode, "queued": 0, "oldest_seconds": None, "last_success_at": None, "last_error": None}


def _is_pace(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and 0 < value <= _SLOWEST_SECONDS  # type: ignore[operator, arg-type]
