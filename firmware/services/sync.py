"""The sync service: it delivers what waits in the outbox, at the pace that the power service sets."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from firmware.clock import SystemClock
from firmware.errors import ServiceError
from firmware.ports import Clock
from firmware.services.alive import control_probe
from firmware.services.control import Action, ControlServer
from firmware.services.event_hub import EventHub
from firmware.services.paths import control_socket
from firmware.services.service import Probe
from firmware.services.uplinks import route_names
from firmware.settings import Settings
from firmware.storage.route_look import fills_routes

if TYPE_CHECKING:
    from firmware.services.delivery import DeliveryWork

_SLOWEST_SECONDS = 86_400.0
_NOTHING: dict[str, Any] = {
    "mode": "off",
    "queued": 0,
    "oldest_seconds": None,
    "last_success_at": None,
    "last_error": None,
    "every_seconds": None,
    "running": True,
    "quarantined": 0,
    "audio_queued": 0,
    "progress": None,
    "certificate_ends_at": None,
    "routes": [],
}


class SyncService:
    """Socket `sync.sock`: the view `status`, and the actions `pace` and `wake`.

    `pace` has `every_seconds` (null: as fast as it likes). `wake` says that something was written; with `now: true`, a
    person wants it tried at once.
    """

    def __init__(self, settings: Settings, *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        self._every_seconds: float | None = None
        self._path = control_socket(settings, "sync")
        hub: EventHub[Any] = EventHub()
        actions: dict[str, Action] = {"pace": self._pace, "wake": self._wake}
        self._control = ControlServer(self._path, {"status": self.status}, hub, actions=actions)
        self._work: DeliveryWork | None = None
        self._started = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as starting:
            await self._control.start()
            starting.push_async_callback(self._control.stop)
            delivers = bool(route_names(self._settings))
            # Where delivery was switched off, what waits for it is let go of, and nothing more is put there.
            if delivers or await asyncio.to_thread(fills_routes, self._settings.data_dir):
                from firmware.services.delivery import DeliveryWork

                self._work = await starting.enter_async_context(DeliveryWork(self._settings, self._clock))
            self._started = starting.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._started.aclose()

    async def ready(self) -> None:
        """At once."""

    def probes(self) -> Sequence[Probe]:
        """Its socket."""
        return [control_probe(self._path)]

    def sentence(self) -> str:
        """What it delivers."""
        return self._work.sentence() if self._work else "sync is off; records stay on this appliance"

    async def status(self) -> dict[str, Any]:
        """The fields of `sync status`, the pace, and what `services/delivery_view.py` tells."""
        if self._work is None:
            return {**_NOTHING, "every_seconds": self._every_seconds}
        return await self._work.status()

    async def _pace(self, request: dict[str, Any]) -> dict[str, Any]:
        every_seconds = request.get("every_seconds")
        if every_seconds is not None and not _is_pace(every_seconds):
            raise ServiceError(f"every_seconds is a number up to {_SLOWEST_SECONDS:g}, or null")
        self._every_seconds = every_seconds
        if self._work is not None:
            self._work.desk.set_pace(every_seconds)
        return await self.status()

    async def _wake(self, request: dict[str, Any]) -> dict[str, Any]:
        if self._work is not None:
            self._work.desk.wake(now=request.get("now") is True)
        return {}


def _is_pace(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and 0 < value <= _SLOWEST_SECONDS  # type: ignore[operator, arg-type]
