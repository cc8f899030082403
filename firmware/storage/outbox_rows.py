"""The queue in the database. Each function is the inside of one transaction."""

# ruff: noqa: S608 - statements are put together from our own names alone

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from peewee import SqliteDatabase

from firmware.errors import RecordNotFound, StorageError
from firmware.ports import Answer, Outcome, QueueState
from firmware.storage.database import raw
from firmware.storage.numbering import LARGEST_NUMBER
from firmware.storage.outbox_bodies import READERS, Found, read_bodies
from firmware.storage.text import SENTENCE_LIMIT, bounded

_COMMITTED = (Outcome.STORED, Outcome.DUPLICATE)
_REFUSED = (Outcome.REJECTED, Outcome.CONFLICT)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An entry as it lies in the queue, with its record as it is now; None was erased."""

    seq: int
    kind: str
    record_id: str
    version: int
    queued_at: str
    attempts: int
    blob_sha256: str | None
    blob_bytes: int | None
    found: Found | None
    is_readable: bool = True


@dataclass(frozen=True, slots=True)
class Quarantined:
    """An entry that the far end refused again and again: for a person to look at."""

    route: str
    seq: int
    kind: str
    record_id: str
    queued_at: str
    attempts: int
    reason: str


def take(db: SqliteDatabase, route: str, limit: int, *, with_audio: bool) -> list[Waiting]:
    """The oldest that are due. Of a route without recordings, messages bring their audio."""
    connection = raw(db)
    carries = audio_kind(connection, route)
    kinds = ", ".join(f"'{kind}'" for kind in READERS)
    # A clock that was set back must not make what it queued before wait for years.
    query = f"""
        SELECT seq, kind, record_id, version, queued_at, attempts, blob_sha256, blob_bytes
        FROM outbox JOIN outbox_route ON name = route
        WHERE route = ? AND state = 'waiting' AND kind IN ({kinds})
        AND (delay_seconds = 0 OR julianday(queued_at) > julianday('now')
            OR julianday(queued_at) <= julianday('now') - delay_seconds / 86400.0)
        {"" if with_audio else _without_audio(carries)}
        ORDER BY seq LIMIT ?
    """
    rows = connection.execute(query, (route, limit)).fetchall()
    found: dict[tuple[str, str], Found | None] = {}
    for kind in {row[1] for row in rows}:
        bodies = _bodies(connection, kind, [row[2] for row in rows if row[1] == kind])
        found |= {(kind, record_id): body for record_id, body in bodies.items()}
    return [_waiting(row, found) for row in rows]


def _waiting(row: Sequence[Any], found: Mapping[tuple[str, str], Found | None]) -> Waiting:
    seq, kind, record_id, version, queued_at, attempts, blob_sha256, blob_bytes = row
    body = found.get((kind, record_id))
    is_readable = body is not None or (kind, record_id) not in found
    return Waiting(seq, kind, record_id, version, queued_at, attempts, blob_sha256, blob_bytes, body, is_readable)


def _bodies(connection: sqlite3.Connection, kind: str, ids: Sequence[str]) -> dict[str, Found | None]:
    """By id; None for a row that makes no sense, which must not keep the others here."""
    try:
        return {**read_bodies(connection, kind, ids)}
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        if len(ids) == 1:
            return {ids[0]: None}
        return {one: body for each in ids for one, body in _bodies(connection, kind, [each]).items()}


def audio_kind(connection: sqlite3.Connection, route: str) -> str:
    """The kind whose entries bring audio on this route."""
    query = "SELECT 1 FROM outbox_subscription WHERE route = ? AND kind = 'recording'"
    return "recording" if connection.execute(query, (route,)).fetchone() else "message"


def _without_audio(kind: str) -> str:
    # What was erased brings none.
    return f"AND (kind <> '{kind}' OR NOT EXISTS (SELECT 1 FROM {kind} WHERE id = record_id))"


def keep_hashes(db: SqliteDatabase, route: str, hashes: Sequence[tuple[str | None, int | None, int]]) -> None:
    """SHA-256 and size of the audio, by seq: it is not read again for every try. None where it goes without."""
    raw(db).executemany(
        "UPDATE outbox SET blob_sha256 = ?, blob_bytes = ? WHERE route = ? AND seq = ?",
        [(sha256, size, route, seq) for sha256, size, seq in hashes],
    )


def settle(db: SqliteDatabase, route: str, answers: Sequence[Answer], most_refusals: int, now: str) -> None:
    """Let go of exactly what was committed; a record that changed meanwhile waits on."""
    connection = raw(db)
    committed = [answer for answer in answers if answer.outcome in _COMMITTED]
    refused = [answer for answer in answers if answer.outcome in _REFUSED]
    _note_delivered_audio(connection, route, committed, now)
    connection.executemany(
        "DELETE FROM outbox WHERE route = ? AND seq = ? AND version = ?",
        [(route, answer.seq, answer.version) for answer in committed],
    )
    connection.executemany(
        "UPDATE outbox SET attempts = attempts + 1 WHERE route = ? AND seq = ?",
        [(route, answer.seq) for answer in answers if answer.outcome not in _COMMITTED],
    )
    connection.executemany(
        "UPDATE outbox SET refusals = refusals + 1, reason = ?, "
        "state = CASE WHEN refusals + 1 >= ? THEN 'quarantined' ELSE state END "
        "WHERE route = ? AND seq = ? AND version = ?",
        [(_reason(answer), most_refusals, route, answer.seq, answer.version) for answer in refused],
    )
    if committed:
        connection.execute(
            "UPDATE outbox_route SET last_success_at = ?, last_error = NULL WHERE name = ?", (now, route)
        )
    if refused:
        failed(db, route, _reason(refused[-1]))


def _reason(answer: Answer) -> str:
    return bounded(answer.reason or answer.outcome.value, SENTENCE_LIMIT)


def _note_delivered_audio(connection: sqlite3.Connection, route: str, committed: Sequence[Answer], now: str) -> None:
    """Only a recording whose audio went along may lose its file here some day."""
    mine = (
        "SELECT record_id FROM outbox WHERE route = ? AND seq = ? AND version = ? AND kind = 'recording' "
        "AND blob_sha256 IS NOT NULL"
    )
    connection.executemany(
        f"UPDATE recording SET delivered_at = ? WHERE id = ({mine})",
        [(now, route, answer.seq, answer.version) for answer in committed],
    )


def failed(db: SqliteDatabase, route: str, sentence: str) -> None:
    """Why the last delivery did not happen."""
    raw(db).execute("UPDATE outbox_route SET last_error = ? WHERE name = ?", (bounded(sentence, SENTENCE_LIMIT), route))


def state(db: SqliteDatabase, route: str) -> QueueState:
    """How much waits."""
    connection = raw(db)
    # A queue of weeks is counted in one pass; the oldest entry stands first.
    every, aside, audio = connection.execute(
        "SELECT count(*), total(state = 'quarantined'), total(kind = ? AND state = 'waiting') FROM outbox "
        "WHERE route = ?",
        (audio_kind(connection, route), route),
    ).fetchone()
    oldest, oldest_seq = connection.execute(
        "SELECT queued_at, seq FROM outbox WHERE route = ? AND state = 'waiting' ORDER BY seq LIMIT 1", (route,)
    ).fetchone() or (None, None)
    success_at, error, next_seq = connection.execute(
        "SELECT last_success_at, last_error, last_seq + 1 FROM outbox_route WHERE name = ?", (route,)
    ).fetchone() or (None, None, 1)
    return QueueState(every - int(aside), int(aside), oldest, int(audio), success_at, error, next_seq, oldest_seq)


def quarantined(db: SqliteDatabase, most: int) -> list[Quarantined]:
    """The oldest of all routes."""
    query = (
        "SELECT route, seq, kind, record_id, queued_at, attempts, reason FROM outbox WHERE state = 'quarantined' "
        "ORDER BY route, seq LIMIT ?"
    )
    return [Quarantined(*row) for row in raw(db).execute(query, (most,))]


def retry(db: SqliteDatabase, record_id: str | None) -> int:
    """What was set aside waits again: one record on every route, or all; returns how many. Raises: RecordNotFound."""
    query = "UPDATE outbox SET state = 'waiting', refusals = 0, reason = '' WHERE state = 'quarantined'"
    again = raw(db).execute(f"{query} AND (?1 IS NULL OR record_id = ?1)", (record_id,)).rowcount
    if record_id is not None and not again:
        raise RecordNotFound(
            f"no entry for {bounded(record_id, 64)} was set aside; `sync quarantine` shows those there are"
        )
    return again


def count_from(db: SqliteDatabase, seq: int, version: int) -> None:
    """Numbers that the far end knows are higher than ours: go on above them, and give new ones to all that waits.

    Raises: StorageError for numbers that no appliance reaches.
    """
    if not (0 <= seq < LARGEST_NUMBER and 0 <= version < LARGEST_NUMBER):
        raise StorageError("the far end tells of numbers that no appliance reaches; have its records looked at")
    connection = raw(db)
    (known,) = connection.execute("SELECT version FROM outbox_counter").fetchone()
    if known < version:
        _renumber_versions(connection, version)
    connection.execute("UPDATE outbox_counter SET least_seq = max(least_seq, ?)", (seq,))
    for name, last in connection.execute("SELECT name, last_seq FROM outbox_route").fetchall():
        if last < seq:
            _renumber_entries(connection, name, seq)


def _renumber_versions(connection: sqlite3.Connection, version: int) -> None:
    """All by the same step, in one statement: `calls` waits for the database meanwhile."""
    (least,) = connection.execute("SELECT coalesce(min(version), 0) FROM outbox").fetchone()
    connection.execute("UPDATE outbox SET version = version + ?", (version - least + 1,))
    highest = "SELECT coalesce(max(version), 0) FROM outbox"
    connection.execute(f"UPDATE outbox_counter SET version = max(?, ({highest}))", (version,))


def _renumber_entries(connection: sqlite3.Connection, route: str, seq: int) -> None:
    query = "SELECT coalesce(min(seq), last_seq + 1) FROM outbox_route LEFT JOIN outbox ON route = name WHERE name = ?"
    (least,) = connection.execute(query, (route,)).fetchone()
    step = (seq - least + 1, route)
    # All of them are lower than the new ones: no number is taken twice on the way.
    connection.execute("UPDATE outbox SET seq = seq + ? WHERE route = ?", step)
    connection.execute("UPDATE outbox_route SET last_seq = last_seq + ? WHERE name = ?", step)
