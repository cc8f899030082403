"""Erases what one message or one caller left: records, recordings, and their traces in the database file. Blocking.

Works beside a running service. Rows go first, together with a note of the files; then the files and their names, then
the write-ahead log. Whoever is told that it is done finds nothing again after a power cut (power-reference 2.2: a
removed file is back unless its folder was synced). Flash memory may hold old blocks below any file system.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

from peewee import SqliteDatabase

from firmware.durable_files import identity_of, plain_errors, sync_folder
from firmware.errors import StorageError, StoreTaken
from firmware.ports import Clock
from firmware.storage import erasure_rows, recording_rows, shared_rows
from firmware.storage.backup_layout import RECORDINGS
from firmware.storage.database import connect, plain_database_errors, writable
from firmware.storage.erasure_record import Traces, note_erasure
from firmware.storage.erasure_rows import Erased
from firmware.storage.migrations import refuse_newer, refuse_older, run_sql
from firmware.storage.ownership import Ownership
from firmware.storage.phone_numbers import same_number_as
from firmware.storage.stamps import IdMaker, Stamp
from firmware.storage.store_files import DATABASE_FILE, LOCAL_BACKUPS
from firmware.storage.text import NUMBER_LIMIT, bounded


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the person who asked may be given: no personal data is in it."""

    receipt: str
    at: str
    erased: Erased
    copies: tuple[str, ...]
    """Files and folders beside the records that may still hold it: databases and folders that were put aside."""


def erase_message(data_dir: Path, wanted: str, clock: Clock) -> Receipt:
    """One message by id or number. Raises: RecordNotFound, StorageError."""

    def erase(db: SqliteDatabase, now: Stamp | None) -> tuple[Erased, Traces]:
        return erasure_rows.erase_message(db, erasure_rows.message_id_of(db, wanted), now)

    return _erase(data_dir, clock, erase)


def erase_caller(data_dir: Path, number: str, clock: Clock, country: str) -> Receipt:
    """Everything that one number left, however it is spelt in `country`. Raises: StorageError."""
    # Judged once each: before the transaction, as tens of thousands of numbers take seconds, and calls wait for it.
    same = cache(same_number_as(bounded(number, NUMBER_LIMIT), country))

    def look(db: SqliteDatabase) -> None:
        erasure_rows.spellings(db, same)

    def erase(db: SqliteDatabase, now: Stamp | None) -> tuple[Erased, Traces]:
        numbers = erasure_rows.spellings(db, same)
        loose = _files_of(data_dir / RECORDINGS, set(erasure_rows.calls_of(db, numbers)))
        erased, traces = erasure_rows.erase_caller(db, numbers, loose, now)
        items = shared_rows.erase_number(db, same, IdMaker(clock), Stamp.now(clock))
        return replace(erased, shared=len(items)), replace(traces, items=tuple(items))

    return _erase(data_dir, clock, erase, look)


def _erase(
    data_dir: Path,
    clock: Clock,
    erase: Callable[[SqliteDatabase, Stamp | None], tuple[Erased, Traces]],
    look: Callable[[SqliteDatabase], None] = lambda _: None,
) -> Receipt:
    file = data_dir / DATABASE_FILE
    if not file.is_file():
        raise StorageError(f"there are no records in {data_dir} yet; start Linekeeper with it first")
    now, receipt_id = Stamp.now(clock), IdMaker(clock)()
    with _alone(data_dir) as alone, plain_database_errors(file), plain_errors(data_dir), _opened(file) as db:
        meant = identity_of(file)
        look(db)
        with db.atomic():
            erased, traces = erase(db, None if alone else now)
            erasure_rows.keep_receipt(db, receipt_id, erased, now)
            # Before the commit: whatever cuts us short behind it, nobody could tell any more what was there.
            note_erasure(data_dir, {"receipt": receipt_id, "at": now.at, **asdict(erased)}, traces)
        _remove_files(db, data_dir / RECORDINGS)
        _empty_log(db)
        _remove_local_backups(data_dir / LOCAL_BACKUPS)
        receipt = Receipt(receipt_id, now.at, erased, _copies(data_dir))
        if identity_of(file) != meant:
            raise StorageError(f"{file} was replaced meanwhile, perhaps by what still holds it; do it once more")
    return receipt


@contextmanager
def _alone(data_dir: Path) -> Iterator[bool]:
    """Whether no service runs; none starts meanwhile then."""
    ownership = Ownership(data_dir)
    try:
        ownership.take()
    except StoreTaken:
        yield False
        return
    try:
        yield True
    finally:
        ownership.release()


@contextmanager
def _opened(file: Path) -> Iterator[SqliteDatabase]:
    db = writable(file)
    try:
        connect(db)
        refuse_newer(db)
        refuse_older(db)
        yield db
    finally:
        db.close()


def _files_of(folder: Path, calls: set[str]) -> set[str]:
    """Recordings of these calls, whether they have a row or not: the call is the second part of a name."""
    with plain_errors(folder):
        names = [file.name for file in folder.iterdir()]
    return {name for name in names if name.count(".") >= 4 and name.split(".")[1] in calls}


def _remove_files(db: SqliteDatabase, folder: Path) -> None:
    files = recording_rows.doomed_files(db)
    with plain_errors(folder):
        for file in files:
            (folder / file).unlink(missing_ok=True)
        sync_folder(folder)
    with db.atomic():
        for file in files:
            recording_rows.forget_doomed(db, file)


def _empty_log(db: SqliteDatabase) -> None:
    # The log holds the pages as they were, until it is cut to nothing.
    busy = run_sql(db, "PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    if busy:
        raise StorageError("it is erased, but traces stay in the database's log while it is read; do it once more")


def _remove_local_backups(folder: Path) -> None:
    """They hold what was erased; the service makes new ones within a day."""
    if not folder.is_dir():
        return
    with plain_errors(folder):
        # One that is being made right now goes too, and fails.
        for file in folder.iterdir():
            if file.is_dir() and not file.is_symlink():
                shutil.rmtree(file, ignore_errors=True)
            else:
                file.unlink(missing_ok=True)
        sync_folder(folder)


def _copies(data_dir: Path) -> tuple[str, ...]:
    found = [*data_dir.glob("before-restore-*"), *data_dir.glob(f"{DATABASE_FILE}.corrupt-*")]
    return tuple(sorted(path.name for path in found))
