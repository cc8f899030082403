"""What people set, see and remove at the collector."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

from collector.database import Database, Transaction
from collector.errors import Malformed, NotFound
from collector.records.numbers import canonical
from collector.sharing.edits import settle_edits
from collector.sharing.items import COLLECTOR, Place, Wanted, edit_item, next_change
from collector.sharing.rule import Edit
from firmware.uplink_contract.shared_kinds import ALLOWED, BLOCKED, CONTACT, KINDS, fault_of

MOST_FILE_BYTES = 4 * 1024 * 1024
"""Four minutes of 8 kHz, 16 bit: no prompt is that long."""


async def company_called(work: Transaction, name: str) -> uuid.UUID:
    """Raises: NotFound."""
    row = await work.row("SELECT id FROM company WHERE name = %s", [name])
    if row is None:
        raise NotFound(f"there is no company {name!r}; `claim` makes one together with its first appliance")
    return uuid.UUID(str(row["id"]))


async def set_item(
    database: Database, company: str, kind: str, key: str, fields: Mapping[str, Any], file: bytes | None = None
) -> int:
    """Set these fields of an item, and leave its others as they are; its new version.

    An empty text takes a field away. Raises: Malformed, NotFound, DatabaseUnavailable, Busy.
    """
    given = {name: value if value != "" else None for name, value in fields.items()}
    async with database.transaction() as work:
        place = await _held(work, company, kind, key)
        base, now = await _now(work, place)
        body = {name: value for name, value in {**(now or {}), **given}.items() if value is not None}
        if fault := fault_of(kind, place.key, body) or _file_fault(kind, file):
            raise Malformed(fault)
        sha256 = await _keep_file(work, place.company, file) if file is not None else None
        edit = Edit(COLLECTOR, base, body, frozenset(given))
        verdict = await edit_item(work, place, Wanted(edit, sha256))
    assert verdict.item
    return verdict.item.version


async def remove_item(database: Database, company: str, kind: str, key: str) -> None:
    """Take an item away from every appliance. Raises: NotFound, DatabaseUnavailable, Busy."""
    async with database.transaction() as work:
        place = await _held(work, company, kind, key)
        base, now = await _now(work, place)
        if now is None:
            raise NotFound(f"there is no {kind} {key!r}; `shared list` shows what there is")
        await edit_item(work, place, Wanted(Edit(COLLECTOR, base, None)))


async def list_items(database: Database, company: str | None, kind: str | None) -> list[dict[str, Any]]:
    """What is shared now, with how many appliances refused it."""
    return await database.rows(
        "SELECT c.name AS company, i.kind, i.key, i.version, i.body, i.file_sha256 AS file, i.changed_at,"
        " (SELECT count(*) FROM shared_conflict x WHERE x.item = i.id) AS conflicts,"
        " (SELECT count(*) FROM shared_refusal r JOIN device d ON d.id = r.device"
        "  WHERE d.company = i.company AND r.version = i.version) AS refused_by"
        " FROM shared_item i JOIN company c ON c.id = i.company WHERE i.body IS NOT NULL"
        " AND (%(company)s::text IS NULL OR c.name = %(company)s) AND (%(kind)s::text IS NULL OR i.kind = %(kind)s)"
        " ORDER BY c.name, i.kind, i.key",
        {"company": company, "kind": kind},
    )


async def list_refusals(database: Database, company: str, kind: str, key: str) -> list[dict[str, Any]]:
    """Which appliances cannot use an item as it is now, and why."""
    return await database.rows(
        "SELECT d.name AS appliance, r.reason, r.refused_at FROM shared_item i JOIN company c ON c.id = i.company"
        " JOIN device d ON d.company = i.company JOIN shared_refusal r ON r.device = d.id AND r.version = i.version"
        " WHERE c.name = %s AND i.kind = %s AND i.key = %s ORDER BY d.name",
        [company, kind, key],
    )


async def list_conflicts(database: Database, company: str | None) -> list[dict[str, Any]]:
    """What branches wanted and did not get, oldest first."""
    return await database.rows(
        "SELECT x.id AS number, c.name AS company, i.kind, i.key, x.field, x.value AS wanted,"
        " i.body -> x.field AS there, d.name AS appliance, x.edited_at, x.kept_at"
        " FROM shared_conflict x JOIN shared_item i ON i.id = x.item JOIN company c ON c.id = i.company"
        " JOIN device d ON d.id = x.device WHERE %(company)s::text IS NULL OR c.name = %(company)s ORDER BY x.id",
        {"company": company},
    )


async def settle_conflict(database: Database, number: int) -> None:
    """Somebody has seen it. Raises: NotFound."""
    if not await database.rows("DELETE FROM shared_conflict WHERE id = %s RETURNING id", [number]):
        raise NotFound(f"there is no conflict {number}; `shared conflicts` lists them")


async def _held(work: Transaction, company: str, kind: str, key: str) -> Place:
    """Nobody else changes what this company shares until the transaction ends; what branches edited before is in it."""
    owner = await company_called(work, company)
    place = Place(owner, kind, await _one_spelling(work, owner, kind, key))
    await next_change(work, place.company)
    await settle_edits(work, place.company)
    return place


async def _one_spelling(work: Transaction, company: uuid.UUID, kind: str, key: str) -> str:
    """However a number is spelt, it is one entry: as appliances have it."""
    if kind not in (CONTACT, BLOCKED, ALLOWED) or not key.removeprefix("+").isdecimal():
        return key
    row = await work.row("SELECT country FROM company WHERE id = %s", [company])
    assert row
    return canonical(key, row["country"])


async def _now(work: Transaction, place: Place) -> tuple[int, dict[str, Any] | None]:
    """An item's version, 0 where it never was, and its fields, None where it is not there."""
    row = await work.row(
        "SELECT version, body FROM shared_item WHERE company = %s AND kind = %s AND key = %s",
        [place.company, place.kind, place.key],
    )
    return (row["version"], row["body"]) if row else (0, None)


def _file_fault(kind: str, file: bytes | None) -> str | None:
    if (file is not None) != (kind in KINDS and KINDS[kind].needs_file):
        return f"a {kind} {'needs a file' if file is None else 'has no file'}"
    if file is not None and not 0 < len(file) <= MOST_FILE_BYTES:
        return f"the file is empty, or larger than {MOST_FILE_BYTES // 1024**2} MB"
    return None


async def _keep_file(work: Transaction, company: uuid.UUID, file: bytes) -> str:
    sha256 = hashlib.sha256(file).hexdigest()
    await work.run(
        "INSERT INTO shared_file (company, sha256, content) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        [company, sha256, file],
    )
    return sha256
