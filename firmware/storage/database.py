"""SQLite through peewee: one thread writes, one reads, and the event loop waits for neither.

WAL with synchronous=FULL is the pair that lost no commit in power cuts (power-reference 2.3); synchronous is a property
of the connection, so every connection sets it.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from peewee import PeeweeException, SqliteDatabase

from firmware.errors import DiskFull, StorageError
from firmware.journal import journal
from firmware.storage.migrations import migrate, run_sql
from firmware.storage.threads import in_thread

P = ParamSpec("P")
T = TypeVar("T")

# The other services write too, but shortly; who waits longer than this has met a hung program.
_BUSY_SECONDS = 10
_SHARED_MODE = 0o660
_WAL_LIMIT_BYTES = 8 * 1024 * 1024


def writable(file: Path) -> SqliteDatabase:
    """A database for writing; its connections are opened by `connect`."""
    pragmas = (
        ("journal_mode", "wal"),
        ("synchronous", "full"),
        ("foreign_keys", "on"),
        # What is deleted or changed is overwritten, so that erasing leaves nothing behind in free pages.
        ("secure_delete", "on"),
        ("journal_size_limit", str(_WAL_LIMIT_BYTES)),
    )
    return SqliteDatabase(str(file), pragmas=pragmas, timeout=_BUSY_SECONDS, lock_type="IMMEDIATE", autoconnect=False)


def readable(file: Path) -> SqliteDatabase:
    """A database whose connections cannot change anything."""
    pragmas = (("query_only", "on"),)
    address = f"{file.absolute().as_uri()}?mode=ro"
    return SqliteDatabase(address, pragmas=pragmas, timeout=_BUSY_SECONDS, uri=True, autoconnect=False)


@contextmanager
def plain_database_errors(file: Path) -> Iterator[None]:
    """Turn what peewee and SQLite raise into StorageError or DiskFull."""
    try:
        yield
    except (PeeweeException, sqlite3.Error) as error:
        text = str(error.args[-1] if error.args else error)
        if any(_says_full(cause) for cause in _causes(error)):
            raise DiskFull(f"the disk is full; free some space for {file.parent}") from error
        raise StorageError(f"{file}: {text}") from error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    # SQLite rolls back by itself when the disk is full; peewee's own ROLLBACK then fails and hides the first error.
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _says_full(error: BaseException) -> bool:
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL


class Database:
    """One database file with its writing and its reading thread."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._writing = writable(file)
        self._reading = readable(file)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="database-writer")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="database-reader")
        self._writer_thread: int | None = None

    async def open(self) -> None:
        """Connect, and bring the database to the newest shape. Raises: StorageError."""
        await self.run(_connect_and_migrate)
        await in_thread(self._reader, self._guarded, connect, self._reading)

    async def write(self, work: Callable[Concatenate[SqliteDatabase, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` in one transaction; returns after its commit is on the disk. Raises: StorageError."""

        def transaction(db: SqliteDatabase) -> T:
            with db.atomic():
                return work(db, *args, **kwargs)

        return await self.run(transaction)

    async def run(self, work: Callable[[SqliteDatabase], T]) -> T:
        """Run `work`, which makes its own transactions, in the writing thread. Raises: StorageError."""
        return await in_thread(self._writer, self._guarded, work, self._writing)

    async def read(self, work: Callable[Concatenate[SqliteDatabase, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` in the reading thread; it sees every commit made before. Raises: StorageError."""
        return await in_thread(self._reader, self._guarded, lambda db: work(db, *args, **kwargs), self._reading)

    async def answers(self) -> None:
        """Returns once the writing thread has done everything asked of it before. Raises: StorageError."""
        self._writer_thread = await self.run(lambda _db: threading.get_native_id())

    @property
    def waits_for_disk(self) -> bool:
        """Whether the kernel holds the writing thread until the disk answers: no new start would cure that."""
        return self._writer_thread is not None and _in_disk_sleep(self._writer_thread)

    async def close(self) -> None:
        """Finish what is queued, move the WAL into the database, and let go of the file. Idempotent."""
        try:
            await in_thread(self._reader, self._guarded, _close, self._reading)
            await in_thread(self._writer, self._guarded, _checkpoint_and_close, self._writing)
        finally:
            self._reader.shutdown(wait=False)
            self._writer.shutdown(wait=False)

    def _guarded(self, work: Callable[[SqliteDatabase], T], db: SqliteDatabase) -> T:
        with plain_database_errors(self.file):
            return work(db)


def _in_disk_sleep(thread: int) -> bool:
    # proc(5): the state stands behind the name, which is in parentheses and may hold anything; D waits for a disk.
    try:
        fields = Path(f"/proc/self/task/{thread}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return fields.rpartition(")")[2].split()[:1] == ["D"]


def connect(db: SqliteDatabase) -> None:
    """Open the calling thread's connection."""
    db.connect()


def _connect_and_migrate(db: SqliteDatabase) -> None:
    # SQLite makes it 0644 whatever the umask allows, and gives its side files the same mode. The services are users of
    # one group, and their units' umask is 0007; an ordinary user's umask still keeps it to that user.
    if db.database:
        with suppress(OSError):  # what is wrong with it is told by SQLite, in a sentence
            Path(str(db.database)).touch(_SHARED_MODE)
    connect(db)
    migrate(db)


def _checkpoint_and_close(db: SqliteDatabase) -> None:
    if db.is_closed():
        return
    try:
        run_sql(db, "PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        db.close()


def checkpoint(db: SqliteDatabase) -> None:
    """Move the WAL into the database and empty it, as far as other programs that read it allow.

    What stays in the WAL is as safe, and is moved at the next opening.
    """
    (busy, *_) = run_sql(db, "PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        journal("storage").warning("another program reads the database, so its log could not be emptied")


def _close(db: SqliteDatabase) -> None:
    db.close()
