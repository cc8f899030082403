"""The database of `calls` as the other services use it: open only while something is written or read.

So a database that was restored, replaced or repaired meanwhile is the one that is used, and nobody who does that has
to ask these services first. A connection that is held longer would, when it is closed at last, remove the write-ahead
log that lies beside the database by name: the new one's.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from peewee import SqliteDatabase

from firmware.durable_files import identity_of, plain_errors
from firmware.errors import DatabaseReplaced, StorageError
from firmware.storage.database import connect_shared, plain_database_errors, writable
from firmware.storage.migrations import CURRENT_VERSION, migrate, run_sql, version_of
from firmware.storage.ownership import Ownership
from firmware.storage.store_files import DATABASE_FILE
from firmware.storage.swap import finish_replacing, is_replacing
from firmware.storage.threads import in_thread

P = ParamSpec("P")
T = TypeVar("T")

# As long as SQLite waits for a lock (database.py); a disk that answers nothing is given up then as well.
_LONGEST_WRITE_SECONDS = 10.0
# Behind a disk that hangs for hours, writes that were given up must not pile up: what they wanted is owed anyway.
_MOST_UNDER_WAY = 8
_WRITING, _READING = "IMMEDIATE", "DEFERRED"


class BriefDatabase:
    """A database file that is open only while something is written or read, by a thread of its own."""

    def __init__(self, data_dir: Path, thread_name: str = "incident-writer") -> None:
        self._data_dir = data_dir
        self._file = data_dir / DATABASE_FILE
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=thread_name)
        self._known: tuple[int, int] | None = None
        self._room = threading.BoundedSemaphore(_MOST_UNDER_WAY)
        self.is_open = True
        self.is_gone = False

    async def write(self, work: Callable[Concatenate[SqliteDatabase, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` in one transaction; returns after its commit is on the disk. Raises: StorageError.

        Raises DatabaseReplaced, once, where another database lies there than the last time.
        """
        return await self._carry_out(_WRITING, lambda db: work(db, *args, **kwargs))

    async def read(self, work: Callable[Concatenate[SqliteDatabase, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` on the database as it is at one instant; nobody waits for it. Raises: as `write`."""
        return await self._carry_out(_READING, lambda db: work(db, *args, **kwargs))

    async def empty_log(self) -> None:
        """Move everything written into the database itself, so that what was overwritten is nowhere any more.

        Waits for readers as long as for any lock. Raises: as `write`; StorageError where somebody still reads.
        """
        await self._carry_out(None, _empty_log)

    def close(self) -> None:
        """Idempotent."""
        self.is_open, self.is_gone = False, True
        self._thread.shutdown(wait=False)

    async def _carry_out(self, lock: str | None, work: Callable[[SqliteDatabase], T]) -> T:
        held = f"{self._file} is held by another program, or its disk does not answer"
        if not self._room.acquire(blocking=False):
            raise StorageError(held)
        try:
            async with asyncio.timeout(_LONGEST_WRITE_SECONDS):
                return await in_thread(self._thread, self._in_turn, lock, work)
        except TimeoutError as error:
            # It may still happen, and then happens twice: work that is owed does not mind.
            raise StorageError(held) from error

    def _in_turn(self, lock: str | None, work: Callable[[SqliteDatabase], T]) -> T:
        try:
            return self._once(lock, work)
        finally:
            self._room.release()

    def _once(self, lock: str | None, work: Callable[[SqliteDatabase], T]) -> T:
        with plain_database_errors(self._file), plain_errors(self._file):
            if not self._file.exists() or is_replacing(self._data_dir):
                self._create()
            meant = identity_of(self._file)
            if self._known not in (None, meant):
                self._known = meant
                raise DatabaseReplaced(f"{self._file} was replaced; what this service wrote is written into it again")
            self._known = meant
            done = self._transaction(work, lock)
            if identity_of(self._file) != meant:
                raise StorageError(f"{self._file} was replaced while something was written; it will be written again")
            return done

    def _transaction(self, work: Callable[[SqliteDatabase], T], lock: str | None = _WRITING) -> T:
        db = writable(self._file)
        try:
            connect_shared(db)
            if version_of(db) != CURRENT_VERSION:
                migrate(db)
            if lock is None:
                return work(db)
            with db.atomic(lock):
                return work(db)
        finally:
            db.close()

    def _create(self) -> None:
        """Only where nobody owns the folder: who does may be putting another database in place right now."""
        ownership = Ownership(self._data_dir)
        try:
            ownership.take()
            finish_replacing(self._data_dir)
            self._transaction(lambda _: None)
        except StorageError as error:
            raise StorageError(f"there is no database at {self._file} now; whoever owns the folder makes it") from error
        finally:
            ownership.release()


def _empty_log(db: SqliteDatabase) -> None:
    (busy, *_) = run_sql(db, "PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise StorageError(f"{db.database} is being read, so its log still holds what was erased; it is emptied later")
