"""What is delivered of a record: its row as it is now. Blocking; inside one transaction.

A body depends on nothing but delivered columns: the same version has the same body, however often it is sent.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from firmware.storage.record_json import Record, Row, call_json, callback_json, incident_json, message_json
from firmware.units import samples_to_seconds


@dataclass(frozen=True, slots=True)
class Audio:
    """A recording's file in the recordings folder; one that was released is not there any more."""

    file: str
    released: bool


@dataclass(frozen=True, slots=True)
class Found:
    """A record that is there."""

    body: Record
    clock_trusted: bool
    audio: Audio | None = None


_Reader = Callable[[sqlite3.Connection, Collection[str]], Iterable[Found]]


def read_bodies(db: sqlite3.Connection, kind: str, ids: Collection[str]) -> dict[str, Found]:
    """By id; what was erased is missing."""
    return {found.body["id"]: found for found in READERS[kind](db, ids)}


def _utc(text: str | None) -> str | None:
    return text


def _rows(db: sqlite3.Connection, query: str, ids: Collection[str]) -> list[Row]:
    """`query` ends in `IN`."""
    cursor = db.execute(f"{query} ({', '.join('?' * len(ids))})", list(ids))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _calls(db: sqlite3.Connection, ids: Collection[str]) -> Iterable[Found]:
    for row in _rows(db, "SELECT * FROM call WHERE id IN", ids):
        yield Found(call_json(row, _utc), bool(row["clock_trusted"]))


def _messages(db: sqlite3.Connection, ids: Collection[str]) -> Iterable[Found]:
    query = (
        "SELECT message.*, recorded_at, kept_samples, total_samples, sample_format, file, released_at FROM message "
        "JOIN recording ON recording.id = recording_id WHERE message.id IN"
    )
    for row in _rows(db, query, ids):
        audio = {name: row[name] for name in ("recording_id", "sample_format", "total_samples", "kept_samples")}
        yield Found({**message_json(row, _utc), **audio}, bool(row["clock_trusted"]), _audio(row))


def _callbacks(db: sqlite3.Connection, ids: Collection[str]) -> Iterable[Found]:
    for row in _rows(db, "SELECT * FROM callback WHERE id IN", ids):
        more = {name: row[name] for name in ("call_id", "language")}
        yield Found({**callback_json(row, _utc), **more}, bool(row["clock_trusted"]))


def _incidents(db: sqlite3.Connection, ids: Collection[str]) -> Iterable[Found]:
    actions, notices = (_parts(db, table, ids) for table in ("incident_action", "incident_notice"))
    for row in _rows(db, "SELECT * FROM incident WHERE id IN", ids):
        body = incident_json(row, actions.get(row["id"], ()), notices.get(row["id"], ()), _utc)
        yield Found(body, bool(row["clock_trusted"]))


def _parts(db: sqlite3.Connection, table: str, ids: Collection[str]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    rows = _rows(db, f"SELECT * FROM {table} WHERE incident_id IN", ids)  # noqa: S608 - our own names
    for row in sorted(rows, key=lambda row: int(row["seq"])):
        found.setdefault(row["incident_id"], []).append(row)
    return found


def _recordings(db: sqlite3.Connection, ids: Collection[str]) -> Iterable[Found]:
    fields = ("id", "call_id", "purpose", "recorded_at", "sample_format", "total_samples", "kept_samples", "end")
    for row in _rows(db, "SELECT * FROM recording WHERE id IN", ids):
        body = {name: row[name] for name in fields}
        body["duration_seconds"] = round(samples_to_seconds(row["total_samples"]), 3)
        yield Found({**body, "voiced": bool(row["voiced"])}, bool(row["clock_trusted"]), _audio(row))


def _audio(row: Row) -> Audio:
    return Audio(row["file"], row["released_at"] is not None)


def _health(db: sqlite3.Connection, ids: Collection[str]) -> Iterable[Found]:
    for row in _rows(db, "SELECT * FROM health WHERE id IN", ids):
        yield Found({**json.loads(row["body"]), "id": row["id"], "at": row["at"]}, bool(row["clock_trusted"]))


def _backups(db: sqlite3.Connection, ids: Collection[str]) -> Iterable[Found]:
    for row in _rows(db, "SELECT * FROM backup_log WHERE id IN", ids):
        body: dict[str, Any] = {name: value for name, value in row.items() if name != "clock_trusted"}
        yield Found(body, bool(row["clock_trusted"]))


def _shared(db: sqlite3.Connection, ids: Collection[str]) -> Iterable[Found]:
    for row in _rows(db, "SELECT * FROM shared_edit WHERE id IN", ids):
        names = ("id", "kind", "item", "edited_at") if row["erase"] else ("id", "kind", "key", "item", "edited_at")
        body = {name: row[name] for name in names}
        if row["erase"]:
            body["erase"] = True
        else:
            fields = None if row["body"] is None else json.loads(row["body"])
            body |= {"base_version": row["base_version"], "body": fields, "touched": json.loads(row["touched"])}
        yield Found(body, bool(row["clock_trusted"]))


def _erasures(db: sqlite3.Connection, ids: Collection[str]) -> Iterable[Found]:
    for row in _rows(db, "SELECT * FROM erasure WHERE id IN", ids):
        body = {"id": row["id"], "at": row["at"], "counts": json.loads(row["counts"])}
        yield Found(body, bool(row["clock_trusted"]))


READERS: Mapping[str, _Reader] = {
    "call": _calls,
    "recording": _recordings,
    "message": _messages,
    "callback": _callbacks,
    "incident": _incidents,
    "health": _health,
    "backup": _backups,
    "shared": _shared,
    "erasure": _erasures,
}
"""By kind. A kind that is not here is never taken."""

TABLES: Mapping[str, str] = {kind: kind for kind in READERS} | {"backup": "backup_log", "shared": "shared_edit"}
"""Where the records of a kind are."""
