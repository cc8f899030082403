"""Shared items in the database. Each function is a part of somebody's transaction."""

from __future__ import annotations

import uuid
from dataclasses import asdict, dataclass
from typing import Any

from collector.database import Row, Transaction
from collector.sharing.rule import Edit, Item, Touch, Verdict, decide
from firmware.uplink_contract.canonical import canonical_json
from firmware.uplink_contract.shared_kinds import ERASED_KEY, KINDS

COLLECTOR = "collector"
"""Who makes a change that no appliance made."""
_OF_PERSONS = [name for name, kind in KINDS.items() if kind.branches_edit]


@dataclass(frozen=True, slots=True)
class Place:
    """Which item of which company."""

    company: uuid.UUID
    kind: str
    key: str


async def next_change(work: Transaction, company: uuid.UUID) -> int:
    """The next number of a company's changes. Until the transaction ends, nobody else gets one."""
    row = await work.row(
        "INSERT INTO company_change (company, change) VALUES (%s, 1)"
        " ON CONFLICT (company) DO UPDATE SET change = company_change.change + 1 RETURNING change",
        [company],
    )
    assert row
    return int(row["change"])


@dataclass(frozen=True, slots=True)
class Wanted:
    """An edit, and what belongs to it but not to the rule."""

    edit: Edit
    file_sha256: str | None = None
    edited_at: str | None = None
    alias: uuid.UUID | None = None
    """The id by which whoever made the edit knows the item."""


async def edit_item(work: Transaction, place: Place, wanted: Wanted) -> Verdict:
    """Decide on one edit; keep what comes of it, and what was lost for people to see."""
    change = await next_change(work, place.company)
    row = await work.row(
        "SELECT * FROM shared_item WHERE company = %s AND kind = %s AND key = %s",
        [place.company, place.kind, place.key],
    )
    verdict = decide(item_of(row), wanted.edit, change)
    if verdict.item is not None:
        item = await _keep(work, place, verdict.item, wanted.file_sha256)
        await _keep_alias(work, place.company, wanted.alias, item)
        for field, value in verdict.lost.items():
            await _keep_conflict(work, item, wanted, (field, value), change)
    return verdict


async def erase_item(work: Transaction, company: uuid.UUID, item: uuid.UUID) -> bool:
    """Nothing tells any more what this item was; appliances learn that they forget it. Whether there was one.

    Only what branches edit can be erased, as they ask for it: a flow is not theirs to take away.
    """
    row = await work.row(
        "SELECT id, key FROM shared_item WHERE company = %(company)s AND kind = ANY(%(kinds)s) AND (id = %(id)s"
        " OR id = (SELECT item FROM shared_alias WHERE company = %(company)s AND alias = %(id)s))",
        {"company": company, "id": item, "kinds": _OF_PERSONS},
    )
    if row is None:
        return False
    item = row["id"]
    if row["key"].startswith(ERASED_KEY):
        return True
    change = await next_change(work, company)
    await work.run(
        "UPDATE shared_item SET key = %s, body = NULL, touches = '{}', removed = NULL, version = %s,"
        " changed_at = now() WHERE id = %s",
        [f"{ERASED_KEY}{item}", change, item],
    )
    await work.run("DELETE FROM shared_conflict WHERE item = %s", [item])
    return True


def item_of(row: Row | None) -> Item | None:
    """An item as the rule sees it."""
    if row is None:
        return None
    touches = {name: Touch(**touch) for name, touch in row["touches"].items()}
    removed = Touch(**row["removed"]) if row["removed"] else None
    return Item(row["version"], row["body"], touches, removed)


async def _keep(work: Transaction, place: Place, item: Item, file_sha256: str | None) -> uuid.UUID:
    row = await work.row(
        "INSERT INTO shared_item (company, kind, key, version, body, touches, removed, file_sha256)"
        " VALUES (%(company)s, %(kind)s, %(key)s, %(version)s, %(body)s::jsonb, %(touches)s::jsonb,"
        " %(removed)s::jsonb, %(file)s)"
        " ON CONFLICT (company, kind, key) DO UPDATE SET version = excluded.version, body = excluded.body,"
        " touches = excluded.touches, removed = excluded.removed, file_sha256 = excluded.file_sha256,"
        " changed_at = now() RETURNING id",
        {
            "company": place.company,
            "kind": place.kind,
            "key": place.key,
            "version": item.version,
            "body": as_json(item.fields),
            "touches": as_json({name: asdict(touch) for name, touch in item.touches.items()}),
            "removed": as_json(asdict(item.removed) if item.removed else None),
            "file": file_sha256,
        },
    )
    assert row
    return uuid.UUID(str(row["id"]))


async def _keep_alias(work: Transaction, company: uuid.UUID, alias: uuid.UUID | None, item: uuid.UUID) -> None:
    if alias not in {None, item}:
        await work.run(
            "INSERT INTO shared_alias (company, alias, item) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            [company, alias, item],
        )


async def _keep_conflict(work: Transaction, item: uuid.UUID, wanted: Wanted, lost: tuple[str, Any], at: int) -> None:
    """Once: a branch that has not learned of it yet wants the same again with its next edit."""
    field, value = lost
    conflict = {
        "item": item,
        "device": wanted.edit.by,
        "field": field,
        "value": as_json(value) or "null",
        "base": wanted.edit.base_version,
        "version": at,
        "edited_at": wanted.edited_at,
    }
    await work.run(
        "INSERT INTO shared_conflict (item, device, field, value, base_version, version, edited_at)"
        " SELECT %(item)s, %(device)s, %(field)s, %(value)s::jsonb, %(base)s, %(version)s, %(edited_at)s"
        " WHERE NOT EXISTS (SELECT FROM shared_conflict WHERE item = %(item)s AND device = %(device)s"
        " AND field = %(field)s AND value = %(value)s::jsonb AND base_version = %(base)s)",
        conflict,
    )


def as_json(value: Any) -> str | None:
    """A value for a jsonb column; None is NULL."""
    return None if value is None else canonical_json(value).decode()
