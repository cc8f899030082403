"""What the sync service does where something is to be delivered. Imported then only: `off` needs none of its memory."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from firmware.errors import StorageError
from firmware.journal import journal
from firmware.ports import Clock
from firmware.services.crash_story import CrashStory
from firmware.services.delivery_desk import DeliveryDesk
from firmware.services.delivery_story import DeliveryStory
from firmware.services.delivery_view import delivery_sentence, delivery_status
from firmware.services.health_record import HealthRecords
from firmware.services.incident_book import IncidentBook
from firmware.services.peers import Peers
from firmware.services.scribe import Scribe
from firmware.services.supervisor import keep_alive
from firmware.services.uplinks import DeliveryParts, deliveries
from firmware.settings import Settings
from firmware.storage.incident_store import IncidentStore
from firmware.storage.outbox import DiskOutbox
from firmware.sync.rate import ByteRate

_LAST_WRITES_SECONDS = 5.0
_RETRY_SECONDS = 15.0
_BYTES_PER_KILOBYTE = 1000

_log = journal("sync")


class DeliveryWork:
    """An asynchronous context manager: inside it, records leave."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._outbox = DiskOutbox(settings.data_dir, clock, refusals=settings.sync.refusals)
        kilobytes = settings.sync.most_kilobytes_per_second
        rate = ByteRate(None if kilobytes is None else kilobytes * _BYTES_PER_KILOBYTE)
        made = deliveries(DeliveryParts(settings, clock, self._outbox, rate))
        self.desk = DeliveryDesk(settings, clock, self._outbox, made)
        self._peers = Peers(settings)
        self._log = IncidentStore(settings.data_dir, clock)
        self._scribe = Scribe()
        self._story = DeliveryStory(self.desk, self._log, self._scribe, clock)
        self._health = HealthRecords(
            self._outbox, self._peers, clock, settings.data_dir, settings.sync.health_every_seconds, self._queue
        )
        self._crashes = CrashStory("sync", IncidentBook(self._log, "sync_service", "sync"), self._scribe)
        self._started = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as starting:
            starting.push_async_callback(self._log.close)
            starting.callback(self._outbox.close)
            starting.callback(self._peers.close)
            starting.push_async_callback(self.desk.close)
            self._begin(starting, {"incidents": self._scribe.run})
            starting.push_async_callback(self._scribe.settled, _LAST_WRITES_SECONDS)
            starting.callback(self._crashes.close)
            self._crashes.begin()
            self._begin(starting, {**self.desk.work(), "story": self._story.run, "owed": self._write_owed})
            if self.desk.senders:
                self._begin(starting, {"health": self._health.run})
            self._started = starting.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._started.aclose()

    async def status(self) -> dict[str, Any]:
        """The JSON fields of `sync status`."""
        return delivery_status(self._settings, self._clock.now(), await self.desk.states(), self.desk)

    def sentence(self) -> str:
        """How delivery is."""
        return delivery_sentence(self.desk)

    def _begin(self, starting: AsyncExitStack, work: Mapping[str, Callable[[], Awaitable[None]]]) -> None:
        for name, run in work.items():
            starting.push_async_callback(_stop, asyncio.create_task(keep_alive(name, run, self._crashes.crashed)))

    async def _queue(self) -> Mapping[str, Any]:
        states = await self.desk.states()
        return {
            name: {"queued": state.queued, "quarantined": state.quarantined, "audio_queued": state.audio_queued}
            for name, state in states.items()
        }

    async def _write_owed(self) -> None:
        while True:
            await asyncio.sleep(_RETRY_SECONDS)
            try:
                await self._log.retry()
            except StorageError as error:
                _log.warning("incidents wait for the database", error=str(error))


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
