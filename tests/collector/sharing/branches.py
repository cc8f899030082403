"""Branches for tests of the collector alone: their edits arrive as stored records do."""

from __future__ import annotations

import itertools
import json
import uuid
from typing import Any

from collector.database import Database
from collector.records.devices import add_device, company_named

_VERSIONS = itertools.count(1)


async def branch(database: Database, name: str, company: str = "Acme") -> uuid.UUID:
    async with database.transaction() as work:
        return await add_device(work, await company_named(work, company), name)


async def deliver(database: Database, device: uuid.UUID, body: dict[str, Any] | None, record: uuid.UUID) -> None:
    """What the ingest does with a record of kind `shared`."""
    async with database.transaction() as work:
        await work.run(
            "INSERT INTO record (record_id, device, kind, version, seq, body, body_hash, erased_at)"
            " VALUES (%s, %s, 'shared', %s, 1, %s::jsonb, %s, %s) ON CONFLICT (record_id, device) DO UPDATE"
            " SET version = excluded.version, body = excluded.body, body_hash = excluded.body_hash,"
            " erased_at = excluded.erased_at",
            [
                record,
                device,
                next(_VERSIONS),
                None if body is None else json.dumps(body),
                None if body is None else b"hash",
                None if body is not None else "2026-11-27T12:00:00+00:00",
            ],
        )


def contact_edit(key: str, base_version: int, **fields: Any) -> dict[str, Any]:
    return {
        "kind": "contact",
        "key": key,
        "base_version": base_version,
        "body": fields,
        "touched": sorted(fields),
        "edited_at": "2026-11-27T12:00:00.000+00:00",
    }
