"""Runs services in this process until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from firmware.services.calls import CallsService
from firmware.services.signals import until_told_to_stop
from firmware.settings import Settings

SERVICES = ("calls",)
"""What this version has."""


async def run_services(settings: Settings, on_ready: Callable[[], None]) -> None:
    """Start, tell `on_ready` once lines can ring, and stop in good order at a signal. Raises: LinekeeperError."""
    stopped = asyncio.create_task(until_told_to_stop())
    async with CallsService(settings) as service:
        ready = asyncio.create_task(_announce(service, on_ready))
        await stopped
        ready.cancel()


async def _announce(service: CallsService, on_ready: Callable[[], None]) -> None:
    await service.ready()
    on_ready()
