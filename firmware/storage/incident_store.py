"""Incidents of the services that take no calls: they write into the database of `calls`, whether that runs or not.

Nothing is held open between two incidents. So a database that was restored, replaced or repaired meanwhile is the one
that is written to, and nobody who does that has to ask this service first.
"""

from __future__ import annotations

from pathlib import Path

from firmware.errors import StorageError
from firmware.journal import journal
from firmware.ports import Clock
from firmware.storage.brief_database import BriefDatabase
from firmware.storage.incident_writing import IncidentWriting

# What is written again into a database that was put in place of the one that had it: a day with much trouble.
_MOST_REMEMBERED = 300


class IncidentStore(IncidentWriting):
    """A `ports.IncidentLog`. Needs no opening; `close` it last. Every write is over within the busy time-out."""

    def __init__(self, data_dir: Path, clock: Clock) -> None:
        self._brief = BriefDatabase(data_dir)
        super().__init__(self._brief, clock, most_remembered=_MOST_REMEMBERED)

    @property
    def trouble(self) -> str | None:
        """Why the database took nothing the last time, if it did not."""
        return self._writer.trouble

    async def retry(self) -> None:
        """Write what is owed, if anything is. Raises: StorageError."""
        await self._writer.catch_up()

    async def close(self) -> None:
        """Let go. What is owed still is tried once more. Never raises."""
        try:
            await self.retry()
        except StorageError as error:
            journal("incidents").error("incidents were never written", writes=self._writer.owed, error=str(error))
        self._brief.close()
