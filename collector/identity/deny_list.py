"""Which appliances are let in. Acts at once on all copies: each request asks the database."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from collector.database import Database
from collector.records.listing import device_named
from collector.records.seen import missing

_LIST = """
SELECT d.id, d.name, o.name AS company, d.enrolled_at, d.imported, d.denied_at, d.denied_reason,
       p.last_seen_at, p.queued, p.oldest_seq, p.next_seq, p.seen,
       (SELECT max(c.ends_at) FROM certificate c WHERE c.device = d.id) AS certificate_ends_at
  FROM device d JOIN company o ON o.id = d.company LEFT JOIN device_progress p ON p.device = d.id
 WHERE %(company)s::text IS NULL OR o.name = %(company)s
 ORDER BY d.enrolled_at, d.id LIMIT %(limit)s
"""


async def deny(database: Database, which: str, reason: str | None) -> UUID:
    """Let it in no more: its id or its name. Raises: NotFound, CollectorError."""
    statement = "UPDATE device SET denied_at = coalesce(denied_at, now()), denied_reason = %s WHERE id = %s"
    async with database.transaction() as work:
        device = await device_named(work, which)
        await work.run(statement, [reason, device])
    return device


async def allow(database: Database, which: str) -> UUID:
    """Let it in again. Raises: NotFound, CollectorError."""
    async with database.transaction() as work:
        device = await device_named(work, which)
        await work.run("UPDATE device SET denied_at = NULL, denied_reason = NULL WHERE id = %s", [device])
    return device


async def list_devices(database: Database, company: str | None, limit: int) -> list[dict[str, Any]]:
    """Appliances in the order of their enrolment, ready for JSON. Raises: CollectorError."""
    rows = await database.rows(_LIST, {"company": company, "limit": limit})
    return [{name: _plain(value) for name, value in _with_waiting(row).items()} for row in rows]


def _with_waiting(row: dict[str, Any]) -> dict[str, Any]:
    """What it told of its queue was before its last delivery: `queued` is without what arrived with that."""
    seen, oldest, after = row.pop("seen"), row["oldest_seq"], row["next_seq"]
    if row["queued"] and oldest is not None:
        gaps = missing(seen, after)
        row["queued"] = min(row["queued"], sum(last - max(first, oldest) + 1 for first, last in gaps if last >= oldest))
    return row


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
