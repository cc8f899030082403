"""Looking at what arrived."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from collector.database import Database, Transaction
from collector.errors import NotFound
from collector.partitions import lowest_id

_LIST = """
SELECT r.record_id AS id, d.name AS device, c.name AS company, r.kind, r.version, r.seq, r.at, r.clock_trusted,
       r.stored_at, r.erased_at IS NOT NULL AS erased, r.urgent, encode(r.blob_sha256, 'hex') AS blob, r.body
FROM (SELECT * FROM record WHERE {} ORDER BY record_id DESC LIMIT %(limit)s) r
JOIN device d ON d.id = r.device JOIN company c ON c.id = d.company
ORDER BY r.record_id
"""


async def device_named(work: Transaction, wanted: str) -> UUID:
    """An appliance by its id or its name. Raises: NotFound where there is none, or several have the name."""
    rows = await work.rows("SELECT id FROM device WHERE id::text = lower(%(it)s) OR name = %(it)s", {"it": wanted})
    if len(rows) != 1:
        how_many = "no appliance is" if not rows else f"{len(rows)} appliances are"
        raise NotFound(f"{how_many} called {wanted!r}; `devices list` shows those there are, with their ids")
    return UUID(str(rows[0]["id"]))


async def list_records(
    database: Database,
    *,
    device: str | None = None,
    kind: str | None = None,
    since: datetime | None = None,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """The newest ones that fit, oldest first, ready for JSON. Raises: NotFound, DatabaseUnavailable, Busy."""
    async with database.transaction() as work:
        asked: dict[str, Any] = {"limit": limit, "kind": kind}
        asked["device"] = await device_named(work, device) if device else None
        asked["since"] = lowest_id(since) if since else None
        conditions = {"kind": "kind = %(kind)s", "device": "device = %(device)s", "since": "record_id >= %(since)s"}
        wanted = [condition for name, condition in conditions.items() if asked[name] is not None]
        rows = await work.rows(_LIST.format(" AND ".join(wanted) or "true"), asked)
    return [{name: _plain(value) for name, value in row.items()} for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
