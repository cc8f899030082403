"""What was erased, so that no older copy brings it back. Blocking.

Each receipt keeps the ids of the records that went: random numbers that tell of nobody, as the records are gone. A
backup that is older than an erasure still has them, and loses them again before it is put in place.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from firmware.durable_files import FILE_MODE, plain_errors, sync_folder
from firmware.journal import journal
from firmware.storage.database import plain_database_errors
from firmware.storage.delivery_schema import tombstone
from firmware.storage.rights import share_as_folder
from firmware.storage.store_files import RECEIPTS

_KINDS = ("call", "message", "callback", "recording")


@dataclass(frozen=True, slots=True)
class Traces:
    """The ids of what was erased. Of `calls`, everything they left went too; they stay without who called."""

    calls: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    callbacks: tuple[str, ...] = ()
    recordings: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    """Of what the company shares."""


def note_erasure(data_dir: Path, line: dict[str, object], traces: Traces) -> None:
    """Add a receipt, durably. Raises: StorageError."""
    file = data_dir / RECEIPTS
    text = json.dumps({**line, "erased_ids": asdict(traces)}) + "\n"
    with plain_errors(file):
        handle = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        try:
            size = os.fstat(handle).st_size
            # A cut leaves half a line; what follows must not become part of it.
            if size and os.pread(handle, 1, size - 1) != b"\n":
                text = "\n" + text
            os.write(handle, text.encode())
            os.fsync(handle)
            # Whoever erases first may be another user of the group than whoever erases next, or root.
            share_as_folder(file, data_dir)
        finally:
            os.close(handle)
        sync_folder(data_dir)


def erase_again(database: Path, data_dir: Path) -> None:
    """Take out of a database, of whatever version, what was ever erased in this data folder. Raises: StorageError."""
    noted = list(_noted(data_dir / RECEIPTS))
    if not noted:
        return
    with plain_database_errors(database), closing(sqlite3.connect(database, timeout=10)) as db:
        db.execute("PRAGMA secure_delete = ON")
        db.execute("PRAGMA synchronous = FULL")
        with db:
            db.execute("BEGIN IMMEDIATE")
            for traces in noted:
                _erase(db, traces)
            _tell_far_ends(db, noted)
            # They are kept by number alone; whose they are, a receipt does not say. Callers are asked once more.
            if any(traces.calls for traces in noted):
                db.execute("DELETE FROM language")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def erased_ids(data_dir: Path) -> list[tuple[str, str]]:
    """Id and kind of every record that was ever erased in this data folder, oldest first. Raises: StorageError."""
    return [
        (record_id, kind)
        for traces in _noted(data_dir / RECEIPTS)
        for kind in _KINDS
        for record_id in getattr(traces, f"{kind}s")
    ]


def _noted(file: Path) -> Iterator[Traces]:
    with plain_errors(file):
        lines = file.read_bytes().splitlines() if file.exists() else []
    for line in lines:
        try:
            ids = json.loads(line)["erased_ids"]
            yield Traces(*(tuple(str(one) for one in ids.get(field.name, ())) for field in fields(Traces)))
        except (ValueError, TypeError, KeyError, AttributeError):
            journal("storage").warning("a receipt names nothing that was erased; a backup may still hold it")


def _erase(db: sqlite3.Connection, traces: Traces) -> None:
    _each(db, "DELETE FROM message WHERE id = ?", traces.messages)
    _each(db, "DELETE FROM message WHERE call_id = ?", traces.calls)
    _each(db, "DELETE FROM callback WHERE id = ?", traces.callbacks)
    _each(db, "DELETE FROM callback WHERE call_id = ?", traces.calls)
    _each(db, "UPDATE callback SET reason_id = NULL WHERE reason_id = ?", traces.recordings)
    of_call = "UPDATE callback SET reason_id = NULL WHERE reason_id IN (SELECT id FROM recording WHERE call_id = ?)"
    _each(db, of_call, traces.calls)
    _each(db, "DELETE FROM recording WHERE id = ?", traces.recordings)
    _each(db, "DELETE FROM recording WHERE call_id = ?", traces.calls)
    _each(db, "UPDATE call SET caller_number = NULL, caller_name = NULL, evidence = NULL WHERE id = ?", traces.calls)
    _erase_items(db, traces.items)


def _erase_items(db: sqlite3.Connection, items: Iterable[str]) -> None:
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'shared_item'").fetchone():
        return
    for table in ("shared_edit", "shared_item"):
        _each(db, f"DELETE FROM {table} WHERE item = ?", items)  # noqa: S608 - our own names


def _tell_far_ends(db: sqlite3.Connection, noted: Sequence[Traces]) -> None:
    """That these went may not have been delivered by the database that knew it; this one may never have had them."""
    if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'outbox'").fetchone():
        return
    for traces in noted:
        for kind in _KINDS:
            for record_id in getattr(traces, f"{kind}s"):
                if not db.execute(f"SELECT 1 FROM {kind} WHERE id = ?", (record_id,)).fetchone():  # noqa: S608
                    for statement in tombstone(kind):
                        db.execute(statement, {"id": record_id})


def _each(db: sqlite3.Connection, statement: str, ids: Iterable[str]) -> None:
    db.executemany(statement, [(one,) for one in ids])
