"""Forgetting: one record, or everything of one caller in a company.

What is erased stays as a bare row, so that no version that is still on its way brings it back. Calls stay for the
count, without who called, as on the appliance.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from collector.database import Transaction
from collector.errors import NotFound
from collector.records import blob_rows
from collector.records.columns import PERSONAL_KINDS, uuid_or_none, without_caller
from collector.records.numbers import LONGEST, canonical
from firmware.uplink_contract.canonical import canonical_json

_Ids = dict[UUID, set[UUID]]
"""Of records, by appliance."""

# In a fixed order, so that two erasures wait for each other instead of locking each other out.
_LOCK = """SELECT p.device FROM device_progress p JOIN device d ON d.id = p.device
WHERE d.company = %s ORDER BY p.device FOR NO KEY UPDATE OF p"""
_OF_NUMBER = """SELECT device, record_id, kind, body FROM record
WHERE number = ANY(%s::text[]) AND device = ANY(%s::uuid[]) AND erased_at IS NULL"""
_OF_CALLS = """SELECT device, record_id, kind, body FROM record
WHERE call_id = ANY(%s::uuid[]) AND device = %s AND erased_at IS NULL"""
_ERASE = """WITH gone AS (SELECT record_id, blob_sha256 FROM record
    WHERE record_id = ANY(%(ids)s::uuid[]) AND device = %(device)s AND erased_at IS NULL AND kind <> 'call')
UPDATE record r SET erased_at = %(now)s, body = NULL, body_hash = NULL, number = NULL, call_id = NULL, urgent = NULL,
    blob_sha256 = NULL, blanked_at = NULL
FROM gone WHERE r.record_id = gone.record_id AND r.record_id = ANY(%(ids)s::uuid[]) AND r.device = %(device)s
RETURNING r.kind, gone.blob_sha256"""
_BLANK = """UPDATE record r SET blanked_at = %(now)s, number = NULL, body_hash = NULL, body = new.body
FROM unnest(%(ids)s::uuid[], %(bodies)s::jsonb[]) AS new (id, body)
WHERE r.record_id = new.id AND r.record_id = ANY(%(ids)s::uuid[]) AND r.device = %(device)s"""
_FORGET_CONFLICTS = "DELETE FROM record_conflict WHERE device = %s AND record_id = ANY(%s::uuid[])"
_FORGET_CONFLICTS_OF = "DELETE FROM record_conflict WHERE device = ANY(%s::uuid[]) AND number = ANY(%s::text[])"
_RECEIPT = "INSERT INTO erasure_receipt (id, company, erased_at, counts) VALUES (%s, %s, %s, %s::jsonb)"


@dataclass(frozen=True, slots=True)
class Receipt:
    """That something was erased, how much and when: nothing in here tells of whom. `counts` by kind, and `blob`."""

    id: UUID
    erased_at: datetime
    counts: Mapping[str, int]


async def erase_caller(work: Transaction, company: UUID, number: str, now: datetime) -> Receipt:
    """Everything of one number, in all its spellings, on all appliances of a company.

    It is erased when the transaction is committed; recordings leave the object store with the next sweep. Raises:
    NotFound where there is no such company.
    """
    row = await work.row("SELECT country FROM company WHERE id = %s", [company])
    if row is None:
        raise NotFound("there is no such company")
    spellings = sorted({canonical(number, row["country"]), number[:LONGEST]})
    devices = [one["device"] for one in await work.rows(_LOCK, [company])]
    found = await work.rows(_OF_NUMBER, [spellings, devices])
    calls = [one for one in found if one["kind"] == "call"]
    counts = Counter[str](call=await _blank(work, calls, now))
    for device, ids in (await _personal(work, found, calls)).items():
        counts += await erase_records(work, device, ids, now)
    await work.run(_FORGET_CONFLICTS_OF, [devices, spellings])
    return await write_receipt(work, company, counts, now)


async def erase_records(work: Transaction, device: UUID, ids: Iterable[UUID], now: datetime) -> Counter[str]:
    """These records of an appliance, but for calls; how many of each kind, and of `blob`s that nothing needs now.

    The appliance's row of `device_progress` must be locked (`progress.locked`).
    """
    wanted = sorted(set(ids))
    rows = await work.rows(_ERASE, {"ids": wanted, "device": device, "now": now})
    await work.run(_FORGET_CONFLICTS, [device, wanted])
    counts = Counter[str](row["kind"] for row in rows)
    counts["blob"] += await blob_rows.doom(
        work, device, [row["blob_sha256"] for row in rows if row["blob_sha256"]], now
    )
    return counts


async def write_receipt(work: Transaction, company: UUID, counts: Mapping[str, int], now: datetime) -> Receipt:
    """Note that something was erased."""
    receipt = Receipt(uuid4(), now, {kind: count for kind, count in sorted(counts.items()) if count})
    await work.run(_RECEIPT, [receipt.id, company, now, canonical_json(receipt.counts).decode()])
    return receipt


async def _personal(work: Transaction, found: Sequence[Mapping[str, Any]], calls: Sequence[Mapping[str, Any]]) -> _Ids:
    """What has the number, what belongs to its calls, and the recordings that these name."""
    rows = list(found)
    for device, ids in _by_device(calls).items():
        rows += await work.rows(_OF_CALLS, [sorted(ids), device])
    personal = [row for row in rows if row["kind"] in PERSONAL_KINDS]
    erased = _by_device(personal)
    for row in personal:
        named = (uuid_or_none((row["body"] or {}).get(name)) for name in ("recording_id", "reason_id"))
        erased[row["device"]] |= {one for one in named if one is not None}
    return erased


async def _blank(work: Transaction, calls: Sequence[Mapping[str, Any]], now: datetime) -> int:
    bodies = {(row["device"], row["record_id"]): without_caller(row["body"] or {}) for row in calls}
    for device, ids in _by_device(calls).items():
        wanted = sorted(ids)
        texts = [canonical_json(bodies[device, one]).decode() for one in wanted]
        await work.run(_BLANK, {"ids": wanted, "bodies": texts, "device": device, "now": now})
        await work.run(_FORGET_CONFLICTS, [device, wanted])
    return len(calls)


def _by_device(rows: Sequence[Mapping[str, Any]]) -> _Ids:
    found: _Ids = defaultdict(set)
    for row in rows:
        found[row["device"]].add(row["record_id"])
    return found
