"""Records as an appliance sends them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from collector.records.incoming import IncomingRecord, QueueReport, Refused, record_of
from tests.collector.databases import NOW

TIME = "2026-11-27T11:00:00.000+00:00"
_TAILS = itertools.count(1)


class FixedClock:
    """Always the same moment."""

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now


def record_id(at: datetime = NOW) -> str:
    """A UUIDv7 of this moment, never the same twice."""
    return str(UUID(int=int(at.timestamp() * 1000) << 80 | 7 << 76 | 0b10 << 62 | next(_TAILS)))


def wire(seq: int, version: int | None = None, **fields: Any) -> dict[str, Any]:
    """A call, unless told otherwise."""
    erased = fields.get("erased", False)
    record: dict[str, Any] = {
        "kind": "call",
        "id": record_id(NOW - timedelta(hours=1)),
        "seq": seq,
        "version": seq if version is None else version,
        "queued_at": TIME,
        "clock_trusted": True,
        "erased": erased,
        "body": None if erased else {"line": "front", "started_at": TIME},
        "blob": None,
    }
    return {**record, **fields}


def incoming(seq: int, version: int | None = None, **fields: Any) -> IncomingRecord:
    record = record_of(wire(seq, version, **fields))
    assert isinstance(record, IncomingRecord), record
    return record


def report(records: Sequence[IncomingRecord | Refused] = (), **fields: Any) -> QueueReport:
    """The queue holds just these."""
    seqs = [record.seq for record in records]
    values: dict[str, Any] = {
        "queued": len(seqs),
        "next_seq": max(seqs, default=0) + 1,
        "oldest_seq": min(seqs, default=None),
        "sent_at": NOW,
        "clock_trusted": True,
    }
    return QueueReport(**{**values, **fields})
