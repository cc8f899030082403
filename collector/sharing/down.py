"""The down-channel: what the collector has for one appliance, in the order of its company's changes."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from collector.database import Database, Row, Transaction
from collector.errors import NotFound
from collector.sharing.edits import settle_edits
from collector.sharing.orders import forget_finished
from firmware.uplink_contract.canonical import canonical_json

MOST_CHANGES = 100
MOST_ANSWER_BYTES = 192 * 1024
"""A flow may have 48 KB; the first change of an answer goes whatever its size."""
_MOST_REASON_CHARACTERS = 2000

_CHANGES = """
WITH counted AS (SELECT coalesce((SELECT change FROM company_change WHERE company = %(company)s), 0) AS down)
SELECT counted.down, found.* FROM counted LEFT JOIN (
    SELECT * FROM (
        (SELECT version AS change, kind, key, version, CASE WHEN key LIKE 'erased/%%' THEN
                (SELECT jsonb_build_object('also', jsonb_agg(alias)) FROM shared_alias WHERE item = i.id
                 HAVING count(*) > 0)
                ELSE body END AS body, id AS item, file_sha256,
                (SELECT length(content) FROM shared_file f WHERE f.company = i.company AND f.sha256 = i.file_sha256)
                    AS file_bytes
         FROM shared_item i WHERE company = %(company)s AND version > %(after)s ORDER BY version LIMIT %(most)s)
        UNION ALL
        (SELECT a.change, 'erase', o.id::text, a.change, o.body, NULL, NULL, NULL
         FROM erasure_order_device a JOIN erasure_order o ON o.id = a.erasure
         WHERE a.device = %(device)s AND a.change > %(after)s AND a.acknowledged_at IS NULL AND o.body IS NOT NULL
         ORDER BY a.change LIMIT %(most)s)
    ) AS either ORDER BY change LIMIT %(most)s
) AS found ON true ORDER BY found.change
"""
_LATEST = """SELECT d.company, coalesce(c.change, 0) AS down,
       EXISTS (SELECT FROM shared_edit e WHERE e.company = d.company) AS waiting
FROM device d LEFT JOIN company_change c ON c.company = d.company WHERE d.id = %s"""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What an appliance did with one change."""

    change: int
    done: bool
    reason: str = ""


class DownChannel:
    """What the requests of one appliance need. Raises: NotFound, DatabaseUnavailable, Busy."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def latest(self, device: uuid.UUID) -> int:
        """The number of the last change of its company: the `down` of every answer. Edits that wait are settled."""
        rows = await self._database.rows(_LATEST, [device])
        if not rows:
            raise _unknown(device)
        if not rows[0]["waiting"]:
            return int(rows[0]["down"])
        async with self._database.transaction() as work:
            await settle_edits(work, rows[0]["company"])
            return await _counted(work, rows[0]["company"])

    async def changes(self, device: uuid.UUID, after: int) -> dict[str, Any]:
        """The body of the answer to `GET /down`: changes in order, and how far they are all there is."""
        async with self._database.transaction() as work:
            company = await _company_of(work, device)
            await settle_edits(work, company)
            asked = {"company": company, "device": device, "after": after, "most": MOST_CHANGES}
            rows = await work.rows(_CHANGES, asked)
        found = [_change(row) for row in rows if row["change"] is not None]
        sent = _that_fit(found)
        all_there = len(sent) == len(found) < MOST_CHANGES
        return {"changes": sent, "down": rows[0]["down"] if all_there or not sent else sent[-1]["change"]}

    async def acknowledge(self, device: uuid.UUID, acknowledged: Sequence[Acknowledged]) -> int:
        """Note what became of changes; once the last appliance has erased somebody, nothing tells who it was."""
        async with self._database.transaction() as work:
            company = await _company_of(work, device)
            orders = [one for one in acknowledged if await _note_order(work, device, one)]
            await _note_shared(work, device, [one for one in acknowledged if one not in orders])
            if orders:
                await forget_finished(work, company)
            return await _counted(work, company)

    async def file(self, device: uuid.UUID, sha256: str, offset: int, most: int) -> bytes:
        """A part of a shared file. Raises: NotFound also where the company has no such file."""
        async with self._database.transaction() as work:
            row = await work.row(
                "SELECT substr(content, %(from)s, %(most)s) AS part FROM shared_file f JOIN device d"
                " ON d.company = f.company WHERE d.id = %(device)s AND f.sha256 = %(sha256)s",
                {"from": offset + 1, "most": most, "device": device, "sha256": sha256},
            )
        if row is None:
            raise NotFound("there is no such file; ask for the changes again")
        return bytes(row["part"])


async def _note_order(work: Transaction, device: uuid.UUID, one: Acknowledged) -> bool:
    touched = await work.run(
        "UPDATE erasure_order_device SET acknowledged_at = coalesce(acknowledged_at, now()), done = %s, reason = %s"
        " WHERE device = %s AND change = %s",
        [one.done, one.reason[:_MOST_REASON_CHARACTERS] or None, device, one.change],
    )
    return touched > 0


async def _note_shared(work: Transaction, device: uuid.UUID, shared: Sequence[Acknowledged]) -> None:
    if not shared:
        return
    for one in shared:
        if not one.done:
            await work.run(
                "INSERT INTO shared_refusal (device, version, reason) VALUES (%s, %s, %s)"
                " ON CONFLICT (device, version) DO UPDATE SET reason = excluded.reason, refused_at = now()",
                [device, one.change, one.reason[:_MOST_REASON_CHARACTERS]],
            )
    await work.run(
        "DELETE FROM shared_refusal WHERE device = %(device)s AND version NOT IN"
        " (SELECT version FROM shared_item WHERE company = (SELECT company FROM device WHERE id = %(device)s))",
        {"device": device},
    )
    await work.run(
        "INSERT INTO device_down (device, change) VALUES (%s, %s)"
        " ON CONFLICT (device) DO UPDATE SET change = greatest(device_down.change, excluded.change)",
        [device, max(one.change for one in shared)],
    )


def _change(row: Row) -> dict[str, Any]:
    blob = {"sha256": row["file_sha256"], "bytes": row["file_bytes"]} if row["file_bytes"] is not None else None
    return {
        "change": row["change"],
        "kind": row["kind"],
        "key": row["key"],
        "version": row["version"],
        "body": row["body"],
        "blob": blob,
        "item": str(row["item"]) if row["item"] else None,
    }


def _that_fit(changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    room = MOST_ANSWER_BYTES
    for count, change in enumerate(changes):
        room -= len(canonical_json(change))
        if room < 0 and count > 0:
            return changes[:count]
    return changes


async def _company_of(work: Transaction, device: uuid.UUID) -> uuid.UUID:
    row = await work.row("SELECT company FROM device WHERE id = %s", [device])
    if row is None:
        raise _unknown(device)
    return uuid.UUID(str(row["company"]))


async def _counted(work: Transaction, company: uuid.UUID) -> int:
    row = await work.row("SELECT change FROM company_change WHERE company = %s", [company])
    return int(row["change"]) if row else 0


def _unknown(device: uuid.UUID) -> NotFound:
    return NotFound(f"no appliance has the id {device}")
