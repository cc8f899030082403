"""The incidents of delivery: nothing leaves for long, somebody must act, or records were set aside."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from firmware.errors import DeliveryError, DeliveryRefused
from firmware.ports import Clock, IncidentLog, QueueState
from firmware.services.delivery_desk import DeliveryDesk, age_seconds
from firmware.services.incident_book import IncidentBook
from firmware.services.scribe import Scribe
from firmware.sync.sender import Sender

_LOOK_SECONDS = 30.0
_FAILING_TOO_LONG_SECONDS = 3600.0
_WAITING_TOO_LONG_SECONDS = 86_400.0


class DeliveryStory:
    """Looks at every sender again and again. `run` it in a task of its own."""

    def __init__(self, desk: DeliveryDesk, log: IncidentLog, scribe: Scribe, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock
        self._chapters = [
            _Chapter(log, scribe, sender, delivery.place)
            for sender, delivery in zip(desk.senders, desk.deliveries, strict=True)
        ]

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            self.look(await self._desk.states())

    def look(self, states: Mapping[str, QueueState]) -> None:
        """Once; told what changed since the last look."""
        for chapter in self._chapters:
            state = states[chapter.route]
            chapter.look(state, age_seconds(state.oldest_queued_at, self._clock.now()) or 0.0)


class _Chapter:
    """Of one route. An incident that an earlier run left open ends with the first look that finds nothing."""

    def __init__(self, log: IncidentLog, scribe: Scribe, sender: Sender, place: str) -> None:
        self.route = sender.route
        self._sender = sender
        self._place = place
        self._late = _Telling(IncidentBook(log, "delivery", self.route), scribe)
        self._refused = _Telling(IncidentBook(log, "delivery_refused", self.route), scribe)
        self._aside = _Telling(IncidentBook(log, "delivery_set_aside", self.route), scribe)

    def look(self, state: QueueState, oldest_seconds: float) -> None:
        failure = self._sender.failure
        failing_seconds = self._failing_seconds()
        late: str | None = None
        if failing_seconds > _FAILING_TOO_LONG_SECONDS:
            late = f"nothing could be delivered to {self._place} for an hour, records wait here: {failure}"
        elif oldest_seconds > _WAITING_TOO_LONG_SECONDS:
            late = f"records for {self._place} wait here for more than a day"
        self._late.tell(late)
        self._tell_refusal(failure)
        self._aside.tell(
            "records were refused again and again and are set aside; see: linekeeper sync quarantine"
            if state.quarantined
            else None
        )

    def _tell_refusal(self, failure: Exception | None) -> None:
        if isinstance(failure, DeliveryRefused):
            self._refused.tell(str(failure))
        elif failure is None or not isinstance(failure, DeliveryError):
            self._refused.tell(None)

    def _failing_seconds(self) -> float:
        since = self._sender.failing_since_seconds
        return 0.0 if since is None else asyncio.get_running_loop().time() - since


class _Telling:
    """One incident: begun once, with the words of its beginning, and ended once."""

    def __init__(self, book: IncidentBook, scribe: Scribe) -> None:
        self._book = book
        self._scribe = scribe
        self._open: bool | None = None

    def tell(self, sentence: str | None) -> None:
        """None: nothing is wrong."""
        wrong = sentence is not None
        if wrong is self._open:
            return
        write: Callable[..., Awaitable[None]] = self._book.begin if wrong else self._book.end
        self._scribe.write(write, *([sentence] if wrong else []))
        self._open = wrong
