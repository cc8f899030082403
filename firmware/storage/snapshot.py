"""A database as it is at one instant, in a file of its own, while others write to it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from firmware.errors import BackupUnusable, StorageError
from firmware.pcm import SampleFormat
from firmware.storage.database import plain_database_errors
from firmware.storage.migrations import CURRENT_VERSION, OUTBOX_VERSION, triggers_in
from firmware.storage.numbering import LARGEST_NUMBER
from firmware.storage.recording_file import RecordingName
from firmware.storage.sequences import sequences_of

_BUSY_SECONDS = 10


def take_snapshot(database: Path, target: Path) -> None:
    """Write a whole, compact copy. Writers go on meanwhile: a reader of a WAL database holds nobody up.

    Deleted content is not copied. Raises: StorageError.
    """
    if not database.is_file():
        raise StorageError(f"there are no records in {database.parent} yet; start Linekeeper with it first")
    address = f"{database.absolute().as_uri()}?mode=ro"
    with (
        plain_database_errors(database),
        closing(sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS)) as db,
    ):
        db.execute("VACUUM INTO ?", (str(target),))


def content_of(file: Path) -> int:
    """Records that the database ever held: it only grows. Raises: StorageError."""
    with plain_database_errors(file):
        return sum(sequences_of(file).values())


def version_of_file(file: Path) -> int:
    """The version of a database at rest. Raises: StorageError."""
    with plain_database_errors(file), closing(_at_rest(file)) as db:
        return int(db.execute("PRAGMA user_version").fetchone()[0])


def recordings_of(file: Path) -> dict[str, int]:
    """The recordings that a database at rest refers to, and the bytes of samples each has. Raises: StorageError.

    Without those that were delivered and released: there is no file any more.
    """
    with plain_database_errors(file), closing(_at_rest(file)) as db:
        query = "SELECT file, sample_format, total_samples FROM recording"
        if db.execute("PRAGMA user_version").fetchone()[0] >= OUTBOX_VERSION:
            query += " WHERE released_at IS NULL"
        rows = db.execute(query).fetchall()
    return {name: SampleFormat(sample_format).sample_bytes * samples for name, sample_format, samples in rows}


def check_snapshot(file: Path) -> None:
    """Raises: BackupUnusable for a database that is damaged, too new, or none of ours; StorageError."""
    try:
        with closing(_at_rest(file)) as db:
            version = int(db.execute("PRAGMA user_version").fetchone()[0])
            if not 1 <= version <= CURRENT_VERSION:
                raise BackupUnusable("a newer release of Linekeeper made it; restore it with that release")
            whole = db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
            broken = db.execute("PRAGMA foreign_key_check").fetchone()
            strange = _programs(db) != triggers_in(version) or not _counts(db, version)
            files = db.execute("SELECT file FROM recording UNION ALL SELECT file FROM doomed_file").fetchall()
    except sqlite3.Error as error:
        raise BackupUnusable(f"its database cannot be read: {error}") from error
    # The next start reads the ones and removes the others: a name must not lead out of the recordings folder.
    if not whole or broken or strange or not all(_is_recording(file) for (file,) in files):
        raise BackupUnusable("its database is damaged")


def _programs(db: sqlite3.Connection) -> set[str]:
    """What the next start would carry out: the text of every trigger and view. Only our own may be there, and all."""
    return {str(sql) for (sql,) in db.execute("SELECT sql FROM sqlite_master WHERE type IN ('trigger', 'view')")}


def _counts(db: sqlite3.Connection, version: int) -> bool:
    """Whether the outbox's numbers are such that it can go on from them."""
    if version < OUTBOX_VERSION:
        return True
    numbers = db.execute("SELECT version, least_seq FROM outbox_counter").fetchall()
    lasts = db.execute("SELECT last_seq FROM outbox_route").fetchall()
    every = [number for row in (*numbers, *lasts) for number in row]
    return len(numbers) == 1 and all(isinstance(one, int) and 0 <= one < LARGEST_NUMBER for one in every)


def _is_recording(file: object) -> bool:
    try:
        return RecordingName.parse(str(file)).call_id != ""
    except ValueError:
        return False


def _at_rest(file: Path) -> sqlite3.Connection:
    # "immutable": no side files are looked for or made.
    db = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    db.execute("PRAGMA trusted_schema = OFF")
    return db
