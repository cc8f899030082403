"""Which routes there are, and what is put into a new one's queue of the time before it. Inside transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from heapq import merge
from itertools import islice

from peewee import SqliteDatabase

from firmware.ports import Route
from firmware.storage.database import raw
from firmware.storage.delivery_schema import NOW
from firmware.storage.outbox_bodies import TABLES

FORGET_STEP = 2000
# Some ten milliseconds of work on a card: calls' own writes come in between.
HISTORY_STEP = 500


def forget_some(db: SqliteDatabase, routes: Sequence[Route], most: int = FORGET_STEP) -> bool:
    """Let go of some of what waits for routes that are not among these; whether that was not all."""
    connection = raw(db)
    names = {route.name for route in routes}
    for (name,) in connection.execute("SELECT name FROM outbox_route").fetchall():
        if name not in names:
            connection.execute("DELETE FROM outbox_subscription WHERE route = ?", (name,))
            seqs = "SELECT seq FROM outbox WHERE route = ?1 ORDER BY seq LIMIT ?2"
            query = f"DELETE FROM outbox WHERE route = ?1 AND seq IN ({seqs})"  # noqa: S608 - our own words
            if connection.execute(query, (name, most)).rowcount == most:
                return True
    return False


def set_routes(db: SqliteDatabase, routes: Sequence[Route], erased: Sequence[tuple[str, str]] = ()) -> None:
    """From now on exactly these are filled; `queue_history` has to follow.

    A new route that gets what is older is told of what was `erased` (id and kind) before: its far end may have it from
    an earlier time.
    """
    connection = raw(db)
    names = {route.name for route in routes}
    known = {name for (name,) in connection.execute("SELECT route FROM outbox_subscription")}
    for (name,) in connection.execute("SELECT name FROM outbox_route").fetchall():
        if name not in names:
            _forget_route(connection, name)
    for route in routes:
        connection.execute(
            "INSERT INTO outbox_route (name, delay_seconds, last_seq) SELECT ?1, ?2, least_seq FROM outbox_counter "
            "WHERE true ON CONFLICT (name) DO UPDATE SET delay_seconds = ?2",
            (route.name, route.delay_seconds),
        )
        _set_kinds(connection, route)
        if route.name not in known and route.history and route.changes:
            _queue(connection, route.name, [gone for gone in erased if _is_gone(connection, route, *gone)])


def queue_history(db: SqliteDatabase, most: int = HISTORY_STEP) -> bool:
    """Queue some more of what is older than its route, oldest first; whether that was not all."""
    connection = raw(db)
    open_ones = "SELECT route, min(history_after) FROM outbox_subscription WHERE history_after IS NOT NULL"
    found = connection.execute(f"{open_ones} GROUP BY route LIMIT 1").fetchone()
    if found is None:
        return False
    route, after = found
    kinds = connection.execute(
        "SELECT kind, history_until FROM outbox_subscription WHERE route = ? AND history_after IS NOT NULL", (route,)
    ).fetchall()
    records = _older(connection, kinds, after, most)
    _queue(connection, route, records)
    reached = records[-1][0] if len(records) == most else None
    connection.execute(
        "UPDATE outbox_subscription SET history_after = ? WHERE route = ? AND history_after IS NOT NULL",
        (reached, route),
    )
    return True


def _forget_route(connection: sqlite3.Connection, name: str) -> None:
    # Should it come back, its numbers go on.
    connection.execute(
        "UPDATE outbox_counter SET least_seq = max(least_seq, (SELECT last_seq FROM outbox_route WHERE name = ?))",
        (name,),
    )
    connection.execute("DELETE FROM outbox WHERE route = ?", (name,))
    connection.execute("DELETE FROM outbox_subscription WHERE route = ?", (name,))
    connection.execute("DELETE FROM outbox_route WHERE name = ?", (name,))


def _set_kinds(connection: sqlite3.Connection, route: Route) -> None:
    query = "SELECT kind FROM outbox_subscription WHERE route = ?"
    known = {kind for (kind,) in connection.execute(query, (route.name,))}
    for kind in known - route.kinds:
        connection.execute("DELETE FROM outbox WHERE route = ? AND kind = ?", (route.name, kind))
        connection.execute("DELETE FROM outbox_subscription WHERE route = ? AND kind = ?", (route.name, kind))
    for kind in sorted(route.kinds):
        newest = _newest(connection, kind) if route.history and kind not in known else None
        connection.execute(
            "INSERT INTO outbox_subscription (route, kind, changes, history_after, history_until) "
            "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (route, kind) DO UPDATE SET changes = ?3",
            (route.name, kind, route.changes, None if newest is None else "", newest),
        )


def _is_gone(connection: sqlite3.Connection, route: Route, record_id: str, kind: str) -> bool:
    query = f"SELECT 1 FROM {TABLES[kind]} WHERE id = ?"  # noqa: S608 - our own names
    return kind in route.kinds and not connection.execute(query, (record_id,)).fetchone()


def _newest(connection: sqlite3.Connection, kind: str) -> str | None:
    table = TABLES.get(kind)
    if table is None:
        return None
    newest: str | None = connection.execute(f"SELECT max(id) FROM {table}").fetchone()[0]  # noqa: S608 - our own names
    return newest


def _older(
    connection: sqlite3.Connection, kinds: Sequence[tuple[str, str]], after: str, most: int
) -> list[tuple[str, str]]:
    """The next ids and kinds. Ids sort by time, over all kinds."""
    lists = []
    for kind, until in kinds:
        query = f"SELECT id FROM {TABLES[kind]} WHERE id > ? AND id <= ? ORDER BY id LIMIT ?"  # noqa: S608
        lists.append([(record_id, kind) for (record_id,) in connection.execute(query, (after, until, most))])
    return list(islice(merge(*lists), most))


def _queue(connection: sqlite3.Connection, route: str, records: Sequence[tuple[str, str]]) -> None:
    query = "SELECT 1 FROM outbox WHERE kind = ? AND record_id = ? AND route = ?"
    new = [(kind, one) for one, kind in records if not connection.execute(query, (kind, one, route)).fetchone()]
    (version,) = connection.execute("SELECT version FROM outbox_counter").fetchone()
    (seq,) = connection.execute("SELECT last_seq FROM outbox_route WHERE name = ?", (route,)).fetchone()
    connection.executemany(
        f"INSERT INTO outbox (route, seq, kind, record_id, version, queued_at) VALUES (?, ?, ?, ?, ?, {NOW})",  # noqa: S608
        [(route, seq + at, kind, one, version + at) for at, (kind, one) in enumerate(new, 1)],
    )
    connection.execute("UPDATE outbox_counter SET version = version + ?", (len(new),))
    connection.execute("UPDATE outbox_route SET last_seq = last_seq + ? WHERE name = ?", (len(new), route))
