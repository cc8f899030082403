"""Reads what can still be read of a damaged database. Blocking; never raises for what it meets there.

Tables are read from both ends up to the first page that cannot be read. Each row must fit the constraints of the sound
database, so that nonsense stays behind.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from firmware.storage.recording_file import RecordingName
from firmware.storage.stamps import id_time, utc_text

# Before each stand the tables that it refers to. Other services' incidents are in nobody's memory.
_TABLES = (
    "call",
    "recording",
    "message",
    "callback",
    "language",
    "incident",
    "incident_action",
    "incident_notice",
    # The outbox is not brought over: what comes over is queued by that alone, on the routes that the backup knew.
    "health",
    "backup_log",
)
_WITHOUT_ID = ("language", "incident_action", "incident_notice")
Row = dict[str, object]


def salvage(damaged: Path, sound: Path, recordings: Path) -> int:
    """Bring rows that the sound database lacks over to it; returns how many. Raises: sqlite3.Error of the sound one."""
    if not damaged.is_file():
        return 0
    saved = 0
    with closing(sqlite3.connect(sound)) as new, closing(_open(damaged)) as old:
        new.execute("PRAGMA foreign_keys = ON")
        for table in _TABLES:
            columns = {row[1] for row in new.execute(f"PRAGMA table_info({table})")}
            for row in _readable_rows(old, table):
                if _is_sensible(table, row, recordings):
                    saved += _bring_over(new, table, {name: row[name] for name in columns & row.keys()})
        for ended, known in _ends(old):
            new.execute("UPDATE incident SET ended_at = ? WHERE id = ? AND ended_at IS NULL", (ended, known))
        new.commit()
    return saved


def _open(damaged: Path) -> sqlite3.Connection:
    old = sqlite3.connect(f"{damaged.absolute().as_uri()}?mode=ro", uri=True)
    old.row_factory = sqlite3.Row
    return old


def _readable_rows(old: sqlite3.Connection, table: str) -> Iterator[Row]:
    seen: set[object] = set()
    for order in ("ASC", "DESC"):
        # The names are our own.
        with suppress(sqlite3.Error, ValueError, OverflowError):
            for row in old.execute(f"SELECT rowid AS row_place, * FROM {table} ORDER BY rowid {order}"):  # noqa: S608
                if row["row_place"] not in seen:
                    seen.add(row["row_place"])
                    yield dict(row)


def _ends(old: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Incidents that were over; a backup may still have them open, and nobody would end them again."""
    for row in _readable_rows(old, "incident"):
        with suppress(ValueError, TypeError, KeyError):
            yield utc_text(datetime.fromisoformat(str(row["ended_at"]))), str(row["id"])


def _is_sensible(table: str, row: Row, recordings: Path) -> bool:
    try:
        if table not in _WITHOUT_ID:
            id_time(str(row["id"]))
        if table == "recording":
            file = str(row["file"])
            there = (recordings / file).is_file() or row.get("released_at") is not None
            return RecordingName.parse(file).final == file and there
    except (ValueError, KeyError):
        return False
    return True


def _bring_over(new: sqlite3.Connection, table: str, row: Row) -> int:
    names = sorted(row)
    marks = ", ".join("?" * len(names))
    try:
        statement = f"INSERT OR IGNORE INTO {table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608
        return new.execute(statement, [row[name] for name in names]).rowcount
    except (sqlite3.IntegrityError, sqlite3.InterfaceError, OverflowError):
        return 0
