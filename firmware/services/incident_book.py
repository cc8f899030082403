"""Incidents, written without ever failing the part that has one already."""

from __future__ import annotations

from collections.abc import Awaitable

from firmware.errors import StorageError
from firmware.journal import journal
from firmware.ports import IncidentLog

_log = journal("incidents")


class IncidentBook:
    """One kind of incident at one place: begin, note what was done, end."""

    def __init__(self, store: IncidentLog, kind: str, place: str) -> None:
        self._store = store
        self._kind = kind
        self._place = place
        self._last: str | None = None

    async def begin(self, sentence: str) -> None:
        """A fault began; the same fault seen again is the same incident, and not written again."""
        if sentence == self._last:
            return
        self._last = sentence
        _log.warning("incident", kind=self._kind, place=self._place, summary=sentence)
        await self._try(self._store.open_incident(self._kind, self._place, sentence))

    async def note(self, action: str) -> None:
        """What was done about it."""
        await self._try(self._store.note_incident(self._kind, self._place, action))

    async def effect(self, sentence: str) -> None:
        """What it cost callers and the office."""
        await self._try(self._store.effect_of_incident(self._kind, self._place, sentence))

    async def tell(self, who: str, how: str, result: str) -> None:
        """Somebody was told of it: who, how, and what came of it."""
        await self._try(self._store.tell_incident(self._kind, self._place, who, how, result))

    async def end(self) -> None:
        """The fault is over, if there was one, also one of an earlier run."""
        self._last = None
        await self._try(self._store.close_incident(self._kind, self._place))

    async def _try(self, write: Awaitable[None]) -> None:
        try:
            await write
        except StorageError as error:
            _log.error("an incident cannot be recorded", kind=self._kind, place=self._place, error=str(error))
