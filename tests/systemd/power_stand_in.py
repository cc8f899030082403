"""Stands in for the power service in the container, where the package has none: the same socket, user and sandbox.

It writes one incident into the shared database, as the real one will.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from firmware.clock import SystemClock
from firmware.services.alive import control_probe
from firmware.services.control import Action, ControlServer
from firmware.services.event_hub import EventHub
from firmware.services.paths import control_socket
from firmware.services.service import Probe
from firmware.settings import Settings
from firmware.storage import incident_rows
from firmware.storage.database import Database
from firmware.storage.stamps import IdMaker, Stamp

_STATUS = {"state": "on_mains", "since": None, "tier": 0, "proved": False, "battery_percent": 80.0}


class PowerService:
    """As `services.service.Service`."""

    def __init__(self, settings: Settings) -> None:
        self._path = control_socket(settings, "power")
        hub: EventHub[Any] = EventHub()
        actions: dict[str, Action] = {"note": self._note}
        self._control = ControlServer(self._path, {"status": lambda: _STATUS}, hub, actions=actions)
        self._database = Database(settings.data_dir / "linekeeper.db")

    async def __aenter__(self) -> Self:
        await self._database.open()
        await self._control.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._control.stop()
        await self._database.close()

    async def ready(self) -> None:
        pass

    def probes(self) -> Sequence[Probe]:
        return [control_probe(self._path)]

    def sentence(self) -> str:
        return "on mains"

    async def _note(self, _request: dict[str, Any]) -> dict[str, Any]:
        clock = SystemClock()
        incident = IdMaker(clock)()
        await self._database.write(
            incident_rows.open_incident, incident, "power", "mains", "mains is lost", Stamp.now(clock)
        )
        return {"incident": incident}
