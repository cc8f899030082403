"""SQLite through peewee: one thread writes, one reads, and the event loop waits for neither.

WAL with synchronous=FULL is the pair that lost no commit in power cuts (power-reference 2.3); synchronous is a property
of the connection, so every connection sets it.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from peewee import PeeweeException, SqliteDatabase

from firmware.errors import DatabaseDamaged, DiskFull, StorageError
from firmware.journal import journal
from firmware.storage.migrations import migrate, run_sql
from firmware.storage.threads import in_thread

P = ParamSpec("P")
T = TypeVar("T")

# The other services write too, but shortly; who waits longer than this has met a hung program.
_BUSY_SECONDS = 10
_SHARED_MODE = 0o660
# Longer than a check of a large database lasts on a card; a caller in a call does not wait longer for an answer.
_OPENING_SECONDS = 10.0
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
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


def raw(db: SqliteDatabase) -> sqlite3.Connection:
    """The calling thread's connection itself, for what peewee has no words for or is too slow at."""
    connection: sqlite3.Connection = db.connection()  # type: ignore[no-untyped-call]
    return connection


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
        # The first one tells why; those on top of it only that cleaning up was not possible either.
        text = str([*_causes(error)][-1])
        if any(_code(cause) == sqlite3.SQLITE_FULL for cause in _causes(error)):
            raise DiskFull(f"the disk is full; free some space for {file.parent}") from error
        if any(_code(cause) in _DAMAGED for cause in _causes(error)):
            raise DatabaseDamaged(f"{file} is damaged: {text}") from error
        raise StorageError(f"{file}: {text}") from error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    # SQLite rolls back by itself when the disk is full; peewee's own ROLLBACK then fails and hides the first error.
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _code(error: BaseException) -> int:
    """SQLite's primary result code; the extended ones have it in their lowest byte."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF if isinstance(error, sqlite3.Error) else 0


class Access(Enum):
    """Whether a database can be used."""

    CLOSED = "closed"
    OPENING = "opening"
    OPEN = "open"
    GONE = "gone"
    """Closed for good."""


class Database:
    """One database file with its writing and its reading thread. May be opened again after it was disconnected.

    `mend` is asked once when SQLite finds the file damaged while it is in use: it puts a sound one in its place.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.mend: Callable[[DatabaseDamaged], Awaitable[None]] | None = None
        self._access = Access.CLOSED
        self._changed = asyncio.Event()
        self._mending = asyncio.Lock()
        self._openings = 0
        self._writing = writable(file)
        self._reading = readable(file)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="database-writer")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="database-reader")
        self._writer_thread: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether reads and writes are carried out at once."""
        return self._access is Access.OPEN

    @property
    def is_gone(self) -> bool:
        """Whether it was closed for good."""
        return self._access is Access.GONE

    def begin_opening(self) -> None:
        """From now on reads and writes wait for `admit`, though not for ever."""
        self._set(Access.OPENING)

    async def connect(self) -> None:
        """Connect, examine the file, and bring it to the newest shape. Raises: DatabaseDamaged, StorageError."""
        await self.run(_connect_and_migrate)
        await in_thread(self._reader, self._guarded, connect, self._reading)

    def admit(self) -> None:
        """Reads and writes go on."""
        self._openings += 1
        self._set(Access.OPEN)

    async def write(self, work: Callable[Concatenate[SqliteDatabase, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` in one transaction; returns after its commit is on the disk. Raises: StorageError."""

        def transaction(db: SqliteDatabase) -> T:
            with db.atomic():
                return work(db, *args, **kwargs)

        return await self._admitted(lambda: self.run(transaction))

    async def run(self, work: Callable[[SqliteDatabase], T]) -> T:
        """Run `work`, which makes its own transactions, in the writing thread, open or not. Raises: StorageError."""
        return await in_thread(self._writer, self._guarded, work, self._writing)

    async def read(self, work: Callable[Concatenate[SqliteDatabase, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` in the reading thread; it sees every commit made before. Raises: StorageError."""

        def reading(db: SqliteDatabase) -> T:
            return work(db, *args, **kwargs)

        return await self._admitted(lambda: in_thread(self._reader, self._guarded, reading, self._reading))

    async def answers(self) -> None:
        """Returns once the writing thread has done everything asked of it before. Raises: StorageError."""
        self._writer_thread = await self.run(lambda _db: threading.get_native_id())

    @property
    def waits_for_disk(self) -> bool:
        """Whether the kernel holds the writing thread until the disk answers: no new start would cure that."""
        return self._writer_thread is not None and _in_disk_sleep(self._writer_thread)

    async def disconnect(self) -> None:
        """Reads and writes fail from now on; let go of the file. Idempotent."""
        self._set(Access.CLOSED)
        await self.let_go()

    async def let_go(self) -> None:
        """Move the WAL into the database where that is possible, and close the connections."""
        try:
            await in_thread(self._reader, self._guarded, _close, self._reading)
        finally:
            await in_thread(self._writer, self._guarded, _checkpoint_and_close, self._writing)

    async def close(self) -> None:
        """Finish what is queued, let go of the file, and of the threads for good. Idempotent."""
        try:
            await self.disconnect()
        finally:
            self._set(Access.GONE)
            self._reader.shutdown(wait=False)
            self._writer.shutdown(wait=False)

    def _set(self, access: Access) -> None:
        self._access = access
        self._changed.set()
        self._changed = asyncio.Event()

    async def _admitted(self, work: Callable[[], Awaitable[T]]) -> T:
        await self._wait_until_open()
        openings = self._openings
        try:
            return await work()
        except DatabaseDamaged as error:
            if self.mend is None:
                raise
            await self._mend_once(self.mend, error, openings)
        return await work()

    async def _wait_until_open(self) -> None:
        if self.is_open:
            return
        try:
            async with asyncio.timeout(_OPENING_SECONDS):
                while self._access is Access.OPENING:
                    await self._changed.wait()
        except TimeoutError as error:
            raise StorageError("the records are still being opened; try again a little later") from error
        if self.is_gone:
            raise StorageError("the store is closed")
        if self._access is Access.CLOSED:
            raise StorageError(f"{self.file} is not open; see the journal for why")

    async def _mend_once(
        self, mend: Callable[[DatabaseDamaged], Awaitable[None]], error: DatabaseDamaged, openings: int
    ) -> None:
        """Several callers may meet the same damage; the first one has it mended, the others wait."""
        async with self._mending:
            if self._openings == openings:
                await asyncio.shield(asyncio.ensure_future(mend(error)))

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


def create_shared(file: Path) -> None:
    """An empty file for a database, unless there is one. Never raises: what is wrong is told by SQLite, in a sentence.

    SQLite makes it 0644 whatever the umask allows, and gives its side files the same mode. The services are users of
    one group, and their units' umask is 0007; an ordinary user's umask still keeps it to that user.
    """
    with suppress(OSError):
        # A touch of one that is there would be a write, and look like one.
        if not file.exists():
            file.touch(_SHARED_MODE)


def connect_shared(db: SqliteDatabase) -> None:
    """Open the calling thread's connection; a new database is the whole group's."""
    if db.database:
        create_shared(Path(str(db.database)))
    connect(db)


def _connect_and_migrate(db: SqliteDatabase) -> None:
    connect_shared(db)
    found = run_sql(db, "PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise DatabaseDamaged(f"{db.database} is damaged: {found}")
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
