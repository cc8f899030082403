"""Opens the records beside the lines: no disk, slow or full or damaged, keeps a telephone from being answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from firmware.errors import StorageError, StoreTaken
from firmware.journal import journal
from firmware.storage.store import Store

_log = journal("records")

# An ordinary start opens the records well within this, and then begins with them open, as if nothing ran beside.
_PATIENCE_SECONDS = 2.0
_RETRY_SECONDS = 5.0
# Records that were open may be closed by a damage that could not be mended at once.
_WATCH_SECONDS = 30.0
# A start that is followed by a crash soon makes no backup of what it crashed on.
_FIRST_SNAPSHOT_SECONDS = 15 * 60.0
_SNAPSHOT_EVERY_SECONDS = 24 * 3600.0
_SNAPSHOT_AGAIN_SECONDS = 3600.0


class StoreOpening:
    """One for a store. `now` is the local time, for the names of snapshots."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store = store
        self._now = now
        self._task: asyncio.Task[None] | None = None
        self._told = ""

    async def begin(self) -> None:
        """Returns once the records are open, or that takes too long to wait for. Raises: StoreTaken."""
        first = asyncio.ensure_future(self._try_to_open())
        try:
            done, _ = await asyncio.wait({first}, timeout=_PATIENCE_SECONDS)
        except asyncio.CancelledError:
            first.cancel()
            raise
        for finished in done:
            finished.result()
        self._task = asyncio.create_task(self._keep(first))

    async def stop(self) -> None:
        """Stop trying, and close the records."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        try:
            await self._store.close()
        except StorageError as error:
            _log.error("the records cannot be closed in good form; the next start recovers them", error=str(error))

    async def _try_to_open(self) -> bool:
        """Whether the records are open now. Raises: StoreTaken."""
        try:
            await self._store.open()
        except StoreTaken:
            raise
        except StorageError as error:
            if str(error) != self._told:
                _log.error("the records cannot be opened; lines are answered, and it is tried again", error=str(error))
            self._told = str(error)
            return False
        return True

    async def _keep(self, first: asyncio.Future[bool]) -> None:
        await self._tolerant(first)
        loop = asyncio.get_running_loop()
        snapshot_at = loop.time() + _FIRST_SNAPSHOT_SECONDS
        made = False
        while True:
            if not self._store.is_open:
                await self._tolerant(asyncio.ensure_future(self._try_to_open()))
            elif loop.time() >= snapshot_at or (made and not await self._has_snapshot()):
                made = await self._snapshot()
                snapshot_at = loop.time() + (_SNAPSHOT_EVERY_SECONDS if made else _SNAPSHOT_AGAIN_SECONDS)
            await asyncio.sleep(_WATCH_SECONDS if self._store.is_open else _RETRY_SECONDS)

    async def _tolerant(self, trying: asyncio.Future[bool]) -> bool:
        try:
            return await trying
        except StoreTaken as error:
            # A restore, perhaps; it lets go of the folder when it is done.
            _log.error("the records belong to somebody else now", error=str(error))
            return False

    async def _snapshot(self) -> bool:
        try:
            await self._store.keep_snapshot(self._now().strftime("%Y%m%d-%H%M%S"))
        except StorageError as error:
            _log.warning("no small backup of the database could be made", error=str(error))
            return False
        return True

    async def _has_snapshot(self) -> bool:
        """False once an erasure has removed those that there were: nothing else holds what was acknowledged then."""
        try:
            return await self._store.has_snapshot()
        except StorageError:
            return True  # there is no way to make one now either
