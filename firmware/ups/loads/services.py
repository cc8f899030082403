"""Loads inside our own services: recognition of speech, and the pace of delivery."""

from __future__ import annotations

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
        with as_load_error(self._name):
            await self._asker.ask("calls", "speech", on=False)

    async def restore(self) -> None:
        """See `ports.LoadSwitch`."""
        with as_load_error(self._name):
            await self._asker.ask("calls", "speech", on=True)

    async def check(self, *, shed: bool) -> bool:
        """See `ports.LoadSwitch`."""
        with as_load_error(self._name):
            status = await self._asker.view("calls", "status")
        return (field_of(status, "speech", self._name) is False) == shed


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
        with as_load_error(self._name):
            status = await self._asker.view("sync", "status")
        wanted = self._every_seconds if shed else None
        return bool(field_of(status, "every_seconds", self._name) == wanted)

    async def _set_pace(self, every_seconds: float | None) -> None:
        with as_load_error(self._name):
            await self._asker.ask("sync", "pace", every_seconds=every_seconds)
