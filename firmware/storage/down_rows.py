"""How far the down-channel has come, in the database. Each function is the inside of one transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from peewee import SqliteDatabase

from firmware.ports import Acknowledgement, Change
from firmware.storage.migrations import run_sql


def progress(db: SqliteDatabase) -> int:
    """The number of the last change that was taken over."""
    return int(run_sql(db, "SELECT number FROM down_progress").fetchone()[0])


def start_again(db: SqliteDatabase) -> None:
    """Another collector, or another company, counts from the beginning; what holds here holds until it says more."""
    for table in ("down_waiting", "down_acknowledgement"):
        run_sql(db, f"DELETE FROM {table}")  # noqa: S608 - our own names
    run_sql(db, "UPDATE down_progress SET number = 0")
    run_sql(
        db, "UPDATE shared_item SET version = 0, base = NULL, held_version = NULL, held_body = NULL, held_item = NULL"
    )


def waiting(db: SqliteDatabase) -> list[Change]:
    """Changes that could not be carried out yet, in order."""
    query = "SELECT number, kind, key, version, body, item, blob_sha256, blob_bytes FROM down_waiting ORDER BY number"
    return [_change(row) for row in run_sql(db, query).fetchall()]


def keep(db: SqliteDatabase, changes: list[Change], down: int) -> None:
    """Take over changes to be carried out; a newer one of the same thing replaces one that waits."""
    for change in changes:
        run_sql(db, "DELETE FROM down_waiting WHERE kind = ? AND key = ? AND number < ?",
             change.kind, change.key, change.number)  # fmt: skip
        sha256, byte_count = change.blob or (None, None)
        body = None if change.body is None else json.dumps(dict(change.body), ensure_ascii=False)
        run_sql(
            db,
            "INSERT OR IGNORE INTO down_waiting (number, kind, key, version, body, item, blob_sha256, blob_bytes)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            change.number, change.kind, change.key, change.version, body, change.item, sha256, byte_count,
        )  # fmt: skip
    run_sql(db, "UPDATE down_progress SET number = max(number, ?)", down)


def finish(db: SqliteDatabase, acknowledgements: Sequence[Acknowledgement]) -> None:
    """They were carried out or refused; the collector is to be told."""
    for one in acknowledgements:
        run_sql(db, "DELETE FROM down_waiting WHERE number = ?", one.number)
        row = "INSERT OR REPLACE INTO down_acknowledgement (number, done, reason) VALUES (?, ?, ?)"
        run_sql(db, row, one.number, one.done, one.reason)


def failed(db: SqliteDatabase, number: int, reason: str) -> None:
    """It could not be carried out now, and is tried again."""
    run_sql(db, "UPDATE down_waiting SET reason = ? WHERE number = ?", reason, number)


def acknowledgements(db: SqliteDatabase, most: int) -> list[Acknowledgement]:
    """What the collector has not been told yet, in order."""
    query = "SELECT number, done, reason FROM down_acknowledgement ORDER BY number LIMIT ?"
    return [Acknowledgement(number, bool(done), reason) for number, done, reason in run_sql(db, query, most).fetchall()]


def told(db: SqliteDatabase, acknowledgements: list[Acknowledgement]) -> None:
    """The collector knows."""
    for one in acknowledgements:
        run_sql(db, "DELETE FROM down_acknowledgement WHERE number = ?", one.number)


def _change(row: Any) -> Change:
    number, kind, key, version, body, item, sha256, byte_count = row
    blob = None if sha256 is None else (sha256, byte_count)
    return Change(number, kind, key, version, None if body is None else json.loads(body), blob, item)
