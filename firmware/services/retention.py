"""Removes audio that was delivered, when it is old or the disk fills. What was not delivered is never removed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Protocol

from firmware.durable_files import DiskRoom
from firmware.errors import StorageError
from firmware.journal import journal
from firmware.ports import Clock, IncidentLog
from firmware.retention_settings import RetentionSettings
from firmware.services.incident_book import IncidentBook
from firmware.storage.stamps import utc_text

INCIDENT_KIND = "disk_filling"
_EVERY_SECONDS = 60.0
# Calls' own writes come in between.
_AT_ONCE = 20
# It is over when there is some air again: one recording more must not be the next incident.
_AIR_PERCENT = 2.0
_MEGABYTE = 1_000_000
_FILLING = "the disk is filling; the oldest audio that was delivered is removed here"
_STUCK = "the disk is filling, and no audio on it was delivered elsewhere; free some space, or see to delivery"

_log = journal("retention")


class ReleasingStore(IncidentLog, Protocol):
    """Where recordings are, such as `Store`."""

    @property
    def is_open(self) -> bool:
        """Whether anything can be removed at all."""

    async def disk_room(self) -> DiskRoom:
        """How full the disk is. Raises: StorageError."""

    async def release_audio(self, before: str | None, most: int) -> int:
        """Remove the oldest delivered audio; how many. Raises: StorageError."""


class Retention:
    """One for a store."""

    def __init__(self, store: ReleasingStore, settings: RetentionSettings, clock: Clock) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._incident = IncidentBook(store, INCIDENT_KIND, "disk")
        self._filling: bool | None = None

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.look()
            await asyncio.sleep(_EVERY_SECONDS)

    async def look(self) -> None:
        """Once. Never raises for the disk."""
        if not self._store.is_open:
            return
        try:
            await self._by_age()
            await self._by_room()
        except StorageError as error:
            _log.warning("delivered audio cannot be removed now", error=str(error))

    async def _by_age(self) -> None:
        days = self._settings.delivered_audio_days
        # A clock that is ahead by years would call everything old.
        if days is None or not self._clock.trusted():
            return
        before = utc_text(self._clock.now() - timedelta(days=days))
        while await self._store.release_audio(before, _AT_ONCE) == _AT_ONCE:
            pass

    async def _by_room(self) -> None:
        if not self._is_above(await self._store.disk_room(), air=bool(self._filling)):
            if self._filling is not False:
                self._filling = False
                await self._incident.end()
            return
        removed = 0
        while gone := await self._store.release_audio(None, _AT_ONCE):
            removed += gone
            if not self._is_above(await self._store.disk_room(), air=True):
                break
        await self._tell(removed)

    async def _tell(self, removed: int) -> None:
        if not self._filling:
            self._filling = True
            await self._incident.begin(_FILLING if removed else _STUCK)
        if removed:
            await self._incident.note(f"the audio of {removed} recordings that were delivered was removed here")

    def _is_above(self, room: DiskRoom, *, air: bool) -> bool:
        """Whether the disk is too full; with `air`, whether it has not some room more yet."""
        free_percent = 100.0 * room.free_bytes / max(1, room.total_bytes)
        spare = _AIR_PERCENT if air else 0.0
        if self._settings.disk_high_free_megabytes is not None:
            least = self._settings.disk_high_free_megabytes * _MEGABYTE
            return room.free_bytes < least + spare / 100.0 * room.total_bytes
        return free_percent < 100.0 - self._settings.disk_high_percent + spare
