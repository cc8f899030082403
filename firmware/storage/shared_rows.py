"""Shared items in the database. Each function is the inside of one transaction."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from peewee import SqliteDatabase

from firmware.ports import Change
from firmware.storage.migrations import run_sql
from firmware.storage.stamps import Stamp
from firmware.uplink_contract.shared_kinds import ALLOWED, BLOCKED, CONTACT, ERASED_KEY, FLOW

MOST_ITEMS = {FLOW: 100}
"""Of a kind whose items are large."""
_MOST_ENTRIES = 50_000
_OF_CALLERS = (CONTACT, BLOCKED, ALLOWED)


@dataclass(frozen=True, slots=True)
class SharedItem:
    """What holds here."""

    kind: str
    key: str
    fields: Mapping[str, Any]
    version: int
    """The collector's, 0 where it knows nothing of it yet."""
    waiting: bool
    """Whether an edit made here has not arrived at the collector yet."""


def items(db: SqliteDatabase, kind: str) -> list[SharedItem]:
    """All of a kind, in the order of their keys."""
    query = (
        "SELECT i.key, i.body, i.version, EXISTS (SELECT 1 FROM shared_edit e JOIN outbox o"
        " ON o.kind = 'shared' AND o.record_id = e.id WHERE e.kind = i.kind AND e.key = i.key)"
        " FROM shared_item i WHERE i.kind = ? AND i.body IS NOT NULL ORDER BY i.key"
    )
    rows = run_sql(db, query, kind).fetchall()
    return [SharedItem(kind, key, json.loads(body), version, bool(waits)) for key, body, version, waits in rows]


def edit_item(
    db: SqliteDatabase, kind: str, key: str, fields: Mapping[str, Any] | None, make_id: Callable[[], str], now: Stamp
) -> None:
    """Somebody at this place made an item anew, changed it, or removed it (`fields` None). A trigger queues it."""
    item, version, base = _item(db, kind, key)
    body = None if fields is None else {name: value for name, value in fields.items() if value is not None}
    touched = _touched(db, kind, key, version) | _differing(base, body)
    run_sql(
        db,
        "INSERT INTO shared_item (kind, key, item, version, body) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
        kind, key, item, version, _text(body),
    )  # fmt: skip
    run_sql(
        db,
        "INSERT INTO shared_edit (id, kind, key, item, base_version, body, touched, edited_at, clock_trusted)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, key) WHERE key IS NOT NULL DO UPDATE SET"
        " item = excluded.item, base_version = excluded.base_version, body = excluded.body,"
        " touched = excluded.touched, edited_at = excluded.edited_at, clock_trusted = excluded.clock_trusted",
        make_id(), kind, key, item, version, _text(body), _text(sorted(touched)), now.at, now.trusted,
    )  # fmt: skip


def without_room(db: SqliteDatabase, changes: Sequence[Change]) -> set[int]:
    """The numbers of those for which there is no room: no company has as many, and they would fill the disk."""
    counts: dict[str, int] = {}
    refused: set[int] = set()
    for change in changes:
        known = "SELECT 1 FROM shared_item WHERE kind = ? AND key = ?"
        if change.key.startswith(ERASED_KEY) or run_sql(db, known, change.kind, change.key).fetchone():
            continue
        if change.kind not in counts:
            query = "SELECT count(*) FROM shared_item WHERE kind = ?"
            counts[change.kind] = run_sql(db, query, change.kind).fetchone()[0]
        counts[change.kind] += 1
        if counts[change.kind] > MOST_ITEMS.get(change.kind, _MOST_ENTRIES):
            refused.add(change.number)
    return refused


def take_changes(db: SqliteDatabase, changes: Sequence[Change]) -> None:
    """What the collector says of several items."""
    for change in changes:
        take_change(db, change)
    use_held(db)


def take_change(db: SqliteDatabase, change: Change) -> None:
    """What the collector says of an item.

    While an edit of ours is on its way it is held back: the collector answers the edit with a later change, and until
    then people here see what they wrote.
    """
    if change.key.startswith(ERASED_KEY):
        # Branches that made the same item at the same time know it by ids of their own.
        also = (change.body or {}).get("also")
        for item in (change.key.removeprefix(ERASED_KEY), *(also if isinstance(also, list) else ())):
            forget_item(db, str(item))
        return
    body = _text(None if change.body is None else dict(change.body))
    run_sql(
        db,
        "INSERT INTO shared_item (kind, key, item, version, held_version, held_body, held_item)"
        " VALUES (?, ?, ?, 0, ?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET held_version = excluded.held_version,"
        " held_body = excluded.held_body, held_item = excluded.held_item"
        " WHERE excluded.held_version > max(version, coalesce(held_version, 0))",
        change.kind, change.key, change.item, change.version, body, change.item,
    )  # fmt: skip


def use_held(db: SqliteDatabase) -> None:
    """Take over what was held back for edits that have arrived meanwhile."""
    run_sql(
        db,
        "UPDATE shared_item SET version = held_version, base = held_body, body = held_body, item = held_item,"
        " held_version = NULL, held_body = NULL, held_item = NULL WHERE held_version IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM shared_edit e JOIN outbox o ON o.kind = 'shared' AND o.record_id = e.id"
        " AND o.state = 'waiting' WHERE e.kind = shared_item.kind AND e.key = shared_item.key)",
    )


def holds_back(db: SqliteDatabase) -> bool:
    """Whether something is held back still, after what need not be was taken over."""
    held = "SELECT 1 FROM shared_item WHERE held_version IS NOT NULL LIMIT 1"
    if run_sql(db, held).fetchone():
        use_held(db)
    return run_sql(db, held).fetchone() is not None


def forget_item(db: SqliteDatabase, item: str) -> None:
    """It was erased elsewhere."""
    run_sql(db, "DELETE FROM shared_edit WHERE item = ? AND NOT erase", item)
    run_sql(db, "DELETE FROM shared_edit WHERE NOT erase AND (kind, key) IN"
             " (SELECT kind, key FROM shared_item WHERE item = ? OR held_item = ?)", item, item)  # fmt: skip
    run_sql(db, "DELETE FROM shared_item WHERE item = ? OR held_item = ?", item, item)


def erase_number(db: SqliteDatabase, same: Callable[[str], bool], make_id: Callable[[], str], now: Stamp) -> list[str]:
    """Forget every item about one number here, and have it forgotten everywhere; their ids."""
    places = ", ".join("?" * len(_OF_CALLERS))
    rows = run_sql(db, f"SELECT kind, key, item, held_item FROM shared_item WHERE kind IN ({places})", *_OF_CALLERS)  # noqa: S608
    found = [row for row in rows.fetchall() if same(row[1])]
    waiting = run_sql(db, f"SELECT kind, key, item, item FROM down_waiting WHERE kind IN ({places})", *_OF_CALLERS)  # noqa: S608
    found += [row for row in waiting.fetchall() if same(row[1])]
    told = {item: kind for kind, _, own, held in found for item in (own, held) if item}
    for kind, key, _, _ in found:
        for table in ("shared_edit", "shared_item", "down_waiting"):
            run_sql(db, f"DELETE FROM {table} WHERE kind = ? AND key = ?", kind, key)  # noqa: S608 - our own names
    for item, kind in told.items():
        run_sql(
            db,
            "INSERT INTO shared_edit (id, kind, item, base_version, touched, erase, edited_at, clock_trusted)"
            " VALUES (?, ?, ?, 0, '[]', 1, ?, ?)",
            make_id(), kind, item, now.at, now.trusted,
        )  # fmt: skip
    return list(told)


def _item(db: SqliteDatabase, kind: str, key: str) -> tuple[str, int, dict[str, Any] | None]:
    """Its id, the version that edits of it are made on, and how it was then."""
    query = "SELECT item, version, base FROM shared_item WHERE kind = ? AND key = ?"
    row = run_sql(db, query, kind, key).fetchone()
    if row is None:
        return str(uuid.uuid4()), 0, None
    return row[0], row[1], None if row[2] is None else json.loads(row[2])


def _touched(db: SqliteDatabase, kind: str, key: str, version: int) -> set[str]:
    """What earlier edits on the same version touched: one that is taken back must arrive as well."""
    query = "SELECT touched FROM shared_edit WHERE kind = ? AND key = ? AND base_version = ?"
    row = run_sql(db, query, kind, key, version).fetchone()
    return set(json.loads(row[0])) if row else set()


def _differing(base: Mapping[str, Any] | None, body: Mapping[str, Any] | None) -> set[str]:
    before, after = base or {}, body or {}
    return {name for name in {*before, *after} if before.get(name) != after.get(name)}


def _text(value: Mapping[str, Any] | Sequence[str] | None) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)
