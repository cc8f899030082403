"""Incidents and what was done about them, written by whichever service sees them: `ports.IncidentLog`."""

from __future__ import annotations

from firmware.ports import Clock
from firmware.storage import incident_rows
from firmware.storage.stamps import IdMaker, Stamp
from firmware.storage.writer import Writer, WritingDatabase


class IncidentWriting:
    """What every store has. What the database cannot take now is made up for, with its own time, by the next write."""

    def __init__(self, database: WritingDatabase, clock: Clock, *, most_remembered: int) -> None:
        """So many of the latest writes are kept for a database that replaces this one."""
        self._clock = clock
        self._make_id = IdMaker(clock)
        self._writer = Writer(database, self._make_id, self._now, most_remembered)

    async def open_incident(self, kind: str, place: str, summary: str, *, drill: bool = False) -> None:
        """A fault began, or is known already; with `drill` it is only exercised. Raises: StorageError."""
        work = incident_rows.open_incident
        await self._writer.write_or_owe(work, self._make_id(), kind, place, summary, self._now(), drill)

    async def note_incident(self, kind: str, place: str, action: str) -> None:
        """What was done about the latest incident of this kind and place. Raises: RecordNotFound, StorageError."""
        await self._writer.write_or_owe(incident_rows.note_incident, kind, place, action, self._now())

    async def effect_of_incident(self, kind: str, place: str, effect: str) -> None:
        """What the latest incident of this kind and place cost. Raises: RecordNotFound, StorageError."""
        await self._writer.write_or_owe(incident_rows.set_effect, kind, place, effect)

    async def tell_incident(self, kind: str, place: str, who: str, how: str, result: str) -> None:
        """Somebody was told of the latest incident of this kind and place. Raises: RecordNotFound, StorageError."""
        await self._writer.write_or_owe(incident_rows.tell_incident, kind, place, who, how, result, self._now())

    async def close_incident(self, kind: str, place: str) -> None:
        """The fault is over; nothing happens where none is open. Raises: StorageError."""
        await self._writer.write_or_owe(incident_rows.close_incident, kind, place, self._now())

    def _now(self) -> Stamp:
        return Stamp.now(self._clock)
