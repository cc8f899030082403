"""The incident of a service in which something broke and was started again."""

from __future__ import annotations

import asyncio

from firmware.services.incident_book import IncidentBook
from firmware.services.scribe import Scribe

# Nothing broke for so long: it is over, until it happens again.
_CALM_SECONDS = 300.0


class CrashStory:
    """`crashed` is what a supervisor tells. Ends the incident, also that of an earlier run, after a calm while."""

    def __init__(self, service: str, book: IncidentBook, scribe: Scribe) -> None:
        self._service = service
        self._book = book
        self._scribe = scribe
        self._calm: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """The service starts; until `close`, a calm while ends what is open."""
        self.close()
        self._calm = asyncio.get_running_loop().call_later(_CALM_SECONDS, self._scribe.write, self._book.end)

    def close(self) -> None:
        """Tell nothing by itself any more."""
        if self._calm is not None:
            self._calm.cancel()
            self._calm = None

    async def crashed(self, error: Exception) -> None:
        """A part broke."""
        sentence = f"a part of the {self._service} service was restarted after an internal error"
        self._scribe.write(self._book.begin, f"{sentence} ({type(error).__name__})")
        self.begin()
