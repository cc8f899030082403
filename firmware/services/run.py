"""Runs services in this process until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from typing import Any

from firmware.services.notify import Notifier
from firmware.services.pulse import Pulse
from firmware.services.service import Service
from firmware.services.signals import until_told_to_stop
from firmware.settings import Settings

_CLASSES = {
    "calls": ("firmware.services.calls", "CallsService"),
    "power": ("firmware.services.power", "PowerService"),
    "sync": ("firmware.services.sync", "SyncService"),
    "office": ("firmware.services.office", "OfficeService"),
}
"""In the order in which they start. Imported when they run: one service does not pay for the memory of another."""

SERVICES = tuple(name for name, (module, _) in _CLASSES.items() if importlib.util.find_spec(module))
"""What this version has."""


async def run_services(
    settings: Settings,
    on_ready: Callable[[], None],
    names: Sequence[str] = SERVICES,
    notifier: Notifier | None = None,
) -> None:
    """Start, tell `on_ready` once lines can ring, and stop in good order at a signal. Raises: LinekeeperError."""
    notifier = notifier or Notifier()
    stopped = asyncio.create_task(until_told_to_stop())
    async with AsyncExitStack() as running:
        services = [await running.enter_async_context(service) for service in _chosen(settings, names)]
        notifier.ready()
        beside = [asyncio.create_task(_announce(services, on_ready)), asyncio.create_task(_pulse(services, notifier))]
        # Whatever ends beside them unasked is a bug; a new start by systemd is better than a service nobody watches.
        await asyncio.wait([stopped, beside[1]], return_when=asyncio.FIRST_COMPLETED)
        notifier.stopping()
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
    if not stopped.done():
        stopped.cancel()
        await beside[1]


def _chosen(settings: Settings, names: Sequence[str]) -> list[Service]:
    return [_service(name, settings) for name in SERVICES if name in names]


def _service(name: str, settings: Settings) -> Service:
    module, class_name = _CLASSES[name]
    made: Service = getattr(importlib.import_module(module), class_name)(settings)
    return made


def _pulse(services: Sequence[Service], notifier: Notifier) -> Coroutine[Any, Any, None]:
    probes = [probe for service in services for probe in service.probes()]
    return Pulse(probes, notifier, lambda: "; ".join(service.sentence() for service in services)).beat()


async def _announce(services: Sequence[Service], on_ready: Callable[[], None]) -> None:
    await asyncio.gather(*(service.ready() for service in services))
    on_ready()
