"""Loads inside our own services: recognition of speech, and the pace of delivery.

A service that does not run uses nothing, and begins in full when it starts: there is nothing to switch then, and who
looks again later finds it in the wrong state.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from firmware.errors import ServiceAbsent
from firmware.ups.loads.asking import Asker, as_load_error, field_of


class SpeechLoad:
    """Recognition and transcripts, which cost more than all else that the calls service does."""

    def __init__(self, name: str, asker: Asker) -> None:
        self._name = name
        self._asker = asker

    @property
    def name(self) -> str:
        """See `ports.LoadSwitch`."""
        return self._name

    async def shed(self) -> None:
        """See `ports.LoadSwitch`."""
        with as_load_error(self._name), suppress(ServiceAbsent):
            await self._asker.ask("calls", "speech", on=False)

    async def restore(self) -> None:
        """See `ports.LoadSwitch`."""
        with as_load_error(self._name), suppress(ServiceAbsent):
            await self._asker.ask("calls", "speech", on=True)

    async def check(self, *, shed: bool) -> bool:
        """See `ports.LoadSwitch`."""
        status = await _status(self._asker, "calls", self._name)
        return status is None or (field_of(status, "speech", self._name) is False) == shed


class SyncLoad:
    """Delivery of records, which is slowed down to once every so many seconds."""

    def __init__(self, name: str, every_seconds: float, asker: Asker) -> None:
        self._name = name
        self._every_seconds = every_seconds
        self._asker = asker

    @property
    def name(self) -> str:
        """See `ports.LoadSwitch`."""
        return self._name

    async def shed(self) -> None:
        """See `ports.LoadSwitch`."""
        await self._set_pace(self._every_seconds)

    async def restore(self) -> None:
        """See `ports.LoadSwitch`."""
        await self._set_pace(None)

    async def check(self, *, shed: bool) -> bool:
        """See `ports.LoadSwitch`."""
        status = await _status(self._asker, "sync", self._name)
        wanted = self._every_seconds if shed else None
        return status is None or bool(field_of(status, "every_seconds", self._name) == wanted)

    async def _set_pace(self, every_seconds: float | None) -> None:
        with as_load_error(self._name), suppress(ServiceAbsent):
            await self._asker.ask("sync", "pace", every_seconds=every_seconds)


async def _status(asker: Asker, service: str, load: str) -> Any:
    """What a service tells of itself; None where it does not run. Raises: LoadError."""
    with as_load_error(load):
        try:
            return await asker.view(service, "status")
        except ServiceAbsent:
            return None
