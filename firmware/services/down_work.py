"""The down-channel of the sync service: before records are sent, and whenever the collector tells of news."""

from __future__ import annotations

import asyncio
import contextlib

from firmware.errors import DeliveryError, StorageError, TryLater
from firmware.journal import journal
from firmware.ports import Clock
from firmware.services.peers import Peers
from firmware.services.shared_takers import takers
from firmware.settings import Settings
from firmware.storage.shared_store import SharedStore
from firmware.sync.collector_client import CollectorClient
from firmware.sync.collector_down import CollectorDown
from firmware.sync.down import Down

# What could not be carried out is tried again; a service that was away is mostly back soon.
_RETRY_SECONDS = 60.0
# What waits for an edit of ours to arrive; asking the database costs next to nothing.
_HELD_SECONDS = 2.0
# Another appliance's edit shows in the answer to any delivery; where nothing is delivered, health records are.
_IDLE_SECONDS = 900.0

_log = journal("down")


class DownWork:
    """`run` belongs into a task of its own, and lets go of everything at its end."""

    def __init__(self, settings: Settings, clock: Clock, client: CollectorClient) -> None:
        self._store = SharedStore(settings.data_dir, clock)
        self._peers = Peers(settings)
        self._down = Down(CollectorDown(client), self._store, takers(settings, self._store, self._peers.ask))
        self._alone = asyncio.Lock()
        self._news = asyncio.Event()

    async def start_again(self) -> None:
        """It is being enrolled anew: whoever it belongs to now, counts changes anew. Raises: StorageError."""
        async with self._alone:
            await self._store.start_again()

    def trouble(self) -> str | None:
        """Why a change of the collector waits, in a sentence."""
        return self._down.trouble

    def tell(self) -> None:
        """The collector has something new."""
        self._news.set()

    async def before_records(self) -> None:
        """Nothing of somebody who asked to be forgotten is sent. Raises: DeliveryError, StorageError."""
        async with self._alone:
            await self._down.run_once(erasures_only=True)
        if self._down.rest_waits:
            self.tell()
        if self._down.erasures_wait:
            sentence = f"somebody is to be erased here before records are sent: {self._down.trouble}"
            raise TryLater(sentence, _RETRY_SECONDS)

    async def run(self) -> None:
        """For ever."""
        try:
            while True:
                if await self._waited():
                    await self._once_bearing()
        except asyncio.CancelledError:
            # Not after a crash: whoever keeps this alive begins it again, and the sender needs the store as well.
            self._store.close()
            self._peers.close()
            raise

    async def _waited(self) -> bool:
        """Whether the collector is to be asked; what was held back is taken over on the way."""
        held = await self._holds_back()
        seconds = _HELD_SECONDS if held else _RETRY_SECONDS if self._down.trouble else _IDLE_SECONDS
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        if self._news.is_set() or not held:
            self._news.clear()
            return True
        return False

    async def _holds_back(self) -> bool:
        try:
            return await self._store.holds_back()
        except StorageError:
            return False

    async def _once_bearing(self) -> None:
        try:
            async with self._alone:
                await self._down.run_once()
        except (DeliveryError, StorageError) as error:
            # The sender meets the same, waits its time, and begins with us when the collector is back.
            _log.info("the collector's changes were not fetched", error=str(error))
