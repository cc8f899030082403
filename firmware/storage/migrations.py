"""The database's shape, version by version. Released migrations are never edited: add the next one.

`PRAGMA user_version` holds the version; it is part of the transaction, so a power cut leaves either the old or the new.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from peewee import SqliteDatabase

from firmware.errors import StorageError
from firmware.storage.delivery_schema import DELIVERY, TRIGGERS
from firmware.storage.shared_schema import SHARED, SHARED_TRIGGERS

Migration = tuple[str, ...]

# AUTOINCREMENT keeps a number from coming back after its row was deleted; callers may still hold the number.
_FIRST_RELEASE: Migration = (
    """CREATE TABLE call (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        line TEXT NOT NULL,
        caller_number TEXT,
        caller_name TEXT,
        number_absence TEXT NOT NULL,
        started_at TEXT NOT NULL,
        answered_at TEXT,
        ended_at TEXT,
        end_reason TEXT,
        evidence TEXT,
        language TEXT,
        path TEXT NOT NULL DEFAULT '[]',
        clock_trusted INTEGER NOT NULL
    )""",
    "CREATE INDEX call_unended ON call (id) WHERE ended_at IS NULL",
    "CREATE INDEX call_of_number ON call (caller_number)",
    """CREATE TABLE recording (
        id TEXT PRIMARY KEY NOT NULL,
        call_id TEXT NOT NULL REFERENCES call (id),
        purpose TEXT NOT NULL,
        file TEXT NOT NULL UNIQUE,
        sample_format TEXT NOT NULL,
        total_samples INTEGER NOT NULL,
        kept_samples INTEGER NOT NULL,
        end TEXT NOT NULL,
        evidence TEXT,
        voiced INTEGER NOT NULL,
        recorded_at TEXT NOT NULL,
        clock_trusted INTEGER NOT NULL
    )""",
    "CREATE INDEX recording_of_call ON recording (call_id)",
    """CREATE TABLE message (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        call_id TEXT NOT NULL REFERENCES call (id),
        recording_id TEXT NOT NULL UNIQUE REFERENCES recording (id),
        caller_number TEXT,
        language TEXT,
        urgent INTEGER NOT NULL DEFAULT 0,
        interrupted INTEGER NOT NULL DEFAULT 0,
        handled INTEGER NOT NULL DEFAULT 0,
        kept_at TEXT NOT NULL,
        clock_trusted INTEGER NOT NULL
    )""",
    "CREATE INDEX message_of_call ON message (call_id)",
    """CREATE TABLE callback (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        call_id TEXT NOT NULL REFERENCES call (id),
        phone TEXT NOT NULL,
        language TEXT,
        preferred TEXT NOT NULL,
        reason_id TEXT UNIQUE REFERENCES recording (id),
        state TEXT NOT NULL DEFAULT 'open',
        attempts INTEGER NOT NULL DEFAULT 0,
        requested_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        clock_trusted INTEGER NOT NULL
    )""",
    "CREATE UNIQUE INDEX callback_open ON callback (phone) WHERE state = 'open' AND phone <> ''",
    "CREATE INDEX callback_of_call ON callback (call_id)",
    """CREATE TABLE language (
        number TEXT PRIMARY KEY NOT NULL,
        language TEXT NOT NULL,
        chosen_at TEXT NOT NULL
    )""",
    """CREATE TABLE incident (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        place TEXT NOT NULL,
        started_at TEXT NOT NULL,
        ended_at TEXT,
        summary TEXT NOT NULL,
        clock_trusted INTEGER NOT NULL
    )""",
    "CREATE UNIQUE INDEX incident_open ON incident (kind, place) WHERE ended_at IS NULL",
    """CREATE TABLE incident_action (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        incident_id TEXT NOT NULL REFERENCES incident (id),
        at TEXT NOT NULL,
        action TEXT NOT NULL
    )""",
    "CREATE INDEX action_of_incident ON incident_action (incident_id)",
    "CREATE TABLE doomed_file (file TEXT PRIMARY KEY NOT NULL)",
)

# NULL: nobody has tried to write it down; empty: tried, and nothing was understood.
_TRANSCRIPTS: Migration = (
    "ALTER TABLE message ADD COLUMN transcript TEXT",
    "ALTER TABLE message ADD COLUMN transcript_confidence REAL",
)

# What an incident cost, whether it was only exercised, and who was told of it (C5).
_INCIDENT_REPORTS: Migration = (
    "ALTER TABLE incident ADD COLUMN effect TEXT",
    "ALTER TABLE incident ADD COLUMN drill INTEGER NOT NULL DEFAULT 0",
    """CREATE TABLE incident_notice (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        incident_id TEXT NOT NULL REFERENCES incident (id),
        at TEXT NOT NULL,
        who TEXT NOT NULL,
        how TEXT NOT NULL,
        result TEXT NOT NULL
    )""",
    "CREATE INDEX notice_of_incident ON incident_notice (incident_id)",
)

MIGRATIONS: tuple[Migration, ...] = (_FIRST_RELEASE, _TRANSCRIPTS, _INCIDENT_REPORTS, DELIVERY, SHARED)
CURRENT_VERSION = len(MIGRATIONS)
OUTBOX_VERSION = 4
"""The first version with an outbox."""
_SHARED_VERSION = 5


def triggers_in(version: int) -> frozenset[str]:
    """The triggers that a database of this version has, as SQLite keeps their text."""
    outbox = TRIGGERS if version >= OUTBOX_VERSION else ()
    return frozenset((*outbox, *(SHARED_TRIGGERS if version >= _SHARED_VERSION else ())))


def run_sql(db: SqliteDatabase, statement: str, *values: object) -> Any:
    """A statement for what peewee has no words for; callers' values are `values`, never part of the text."""
    return db.execute_sql(statement, values)  # type: ignore[no-untyped-call]


def version_of(db: SqliteDatabase) -> int:
    """The version of an open database; 0 when it is empty."""
    return int(run_sql(db, "PRAGMA user_version").fetchone()[0])


def migrate(db: SqliteDatabase, migrations: Sequence[Migration] = MIGRATIONS) -> int:
    """Bring a database to the newest shape in one transaction; returns the version it had.

    Raises: StorageError when a newer Linekeeper wrote it.
    """
    with db.atomic("IMMEDIATE"):
        had = version_of(db)
        refuse_newer(db, len(migrations))
        for migration in migrations[had:]:
            for statement in migration:
                run_sql(db, statement)
        # PRAGMA takes no parameters; the value is our own number.
        run_sql(db, f"PRAGMA user_version = {len(migrations)}")
        broken = run_sql(db, "PRAGMA foreign_key_check").fetchall()
        if broken:
            raise StorageError(f"the database cannot be brought up to date: {len(broken)} broken references")
    return had


def refuse_newer(db: SqliteDatabase, newest: int = CURRENT_VERSION) -> None:
    """Raises: StorageError for a database of a version that this code does not know."""
    version = version_of(db)
    if version > newest:
        raise StorageError(
            f"{Path(str(db.database)).name} was written by a newer Linekeeper (format {version}; this one knows "
            f"{newest}); install that release again, or restore a backup made by this one"
        )


def refuse_older(db: SqliteDatabase) -> None:
    """Raises: StorageError for a database that only the service itself may bring up to date."""
    version = version_of(db)
    if version < CURRENT_VERSION:
        raise StorageError(
            f"{Path(str(db.database)).name} was written by an older Linekeeper (format {version}; this one knows "
            f"{CURRENT_VERSION}); start Linekeeper once, it brings the database up to date"
        )
