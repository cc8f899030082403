"""The statements that store a batch: all of it at once, so that a batch costs as many round trips as one record.

Its rows travel as one JSON text. As arrays, whose every quote is escaped, they took a quarter of all time (py-spy).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from collector.database import Transaction
from collector.records.columns import columns_of, without_caller
from collector.records.incoming import IncomingRecord
from collector.records.judging import Kept
from firmware.uplink_contract.canonical import canonical_json

KEPT = """SELECT record_id, kind, version, body_hash, blob_sha256, erased_at IS NOT NULL AS erased,
       blanked_at IS NOT NULL AS blanked
FROM record WHERE record_id = ANY(%s::uuid[]) AND device = %s"""
"""What is there of these ids of an appliance; only their months are looked into."""
_COLUMNS = {
    "record_id": "uuid",
    "kind": "text",
    "version": "bigint",
    "seq": "bigint",
    "at": "timestamptz",
    "clock_trusted": "boolean",
    "erased_at": "timestamptz",
    "blanked_at": "timestamptz",
    "urgent": "boolean",
    "number": "text",
    "call_id": "uuid",
    "blob_sha256": "bytea",
    "body_hash": "bytea",
    "body": "jsonb",
}
_NAMES = ", ".join(_COLUMNS)
_TYPES = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
_SETS = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name not in {"record_id", "blanked_at"})
_WRITE = f"""INSERT INTO record (device, stored_at, {_NAMES})
SELECT %(device)s, %(now)s, {_NAMES} FROM json_to_recordset(%(rows)s::json) AS new ({_TYPES}) ORDER BY record_id
ON CONFLICT (record_id, device) DO UPDATE SET stored_at = excluded.stored_at, {_SETS},
    blanked_at = coalesce(record.blanked_at, excluded.blanked_at)"""  # noqa: S608 - our own names
_CONFLICT = """INSERT INTO record_conflict (device, record_id, version, body_hash, number, body)
SELECT %s, * FROM unnest(%s::uuid[], %s::bigint[], %s::bytea[], %s::text[], %s::jsonb[]) ON CONFLICT DO NOTHING"""
_FORGET_CONFLICTS = "DELETE FROM record_conflict WHERE device = %s AND record_id = ANY(%s::uuid[])"


@dataclass(frozen=True, slots=True)
class Writing:
    """Where a batch goes: whose it is, how its numbers are read, and when."""

    device: UUID
    country: str
    now: datetime


async def kept(work: Transaction, device: UUID, ids: Iterable[UUID]) -> dict[UUID, Kept]:
    """What is there of these records."""
    rows = await work.rows(KEPT, [sorted(set(ids)), device])
    return {row.pop("record_id"): Kept(**row) for row in rows}


async def write(work: Transaction, writing: Writing, records: Mapping[UUID, tuple[IncomingRecord, Kept]]) -> None:
    """Store the last version of each."""
    rows = [_row(record, state, writing) for record, state in records.values()]
    await work.run(_WRITE, {"device": writing.device, "now": writing.now, "rows": f"[{','.join(rows)}]"})
    erased = [record.record_id for record, _ in records.values() if record.erased]
    if erased:
        await work.run(_FORGET_CONFLICTS, [writing.device, erased])


async def write_conflicts(work: Transaction, writing: Writing, records: Sequence[IncomingRecord]) -> None:
    """Keep bodies that contradict what is there, for a person."""
    whole = [record for record in records if record.body is not None]
    columns = [
        [record.record_id for record in whole],
        [record.version for record in whole],
        [record.body_hash for record in whole],
        [columns_of(record, writing.country).number for record in whole],
        [record.body_text for record in whole],
    ]
    await work.run(_CONFLICT, [writing.device, *columns])


def _row(record: IncomingRecord, state: Kept, writing: Writing) -> str:
    """A row as JSON; PostgreSQL reads each column from its text."""
    columns = columns_of(record, writing.country)
    text, digest = record.body_text, record.body_hash
    if state.blanked and record.body is not None:
        # No hash either: from it a number could be guessed.
        text, digest = canonical_json(without_caller(record.body)).decode(), None
    row = {
        "record_id": str(record.record_id),
        "kind": record.kind,
        "version": state.version,
        "seq": record.seq,
        "at": columns.at.isoformat(),
        "clock_trusted": record.clock_trusted,
        "erased_at": writing.now.isoformat() if record.erased else None,
        "urgent": columns.urgent,
        "number": None if state.blanked else columns.number,
        "call_id": columns.call_id and str(columns.call_id),
        "blob_sha256": _bytea(state.blob_sha256),
        "body_hash": _bytea(digest),
    }
    return f'{json.dumps(row)[:-1]}, "body": {text or "null"}}}'


def _bytea(value: bytes | None) -> str | None:
    return None if value is None else "\\x" + value.hex()
