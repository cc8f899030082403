"""What an appliance said of its queue, and which of its numbers arrived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from collector.database import Database, Row, Transaction
from collector.errors import NotFound
from collector.records.incoming import QueueReport
from collector.records.seen import missing, with_seqs

_LOCK = """SELECT p.*, c.country FROM device_progress p
JOIN device d ON d.id = p.device JOIN company c ON c.id = d.company
WHERE p.device = %s FOR NO KEY UPDATE OF p"""
_UPDATE = """UPDATE device_progress SET highest_seq = greatest(highest_seq, %(seq)s), queued = %(queued)s,
    highest_version = greatest(highest_version, %(version)s), next_seq = greatest(next_seq, %(next_seq)s),
    oldest_seq = %(oldest_seq)s, last_seen_at = %(now)s, clock_offset_ms = %(offset)s, clock_trusted = %(trusted)s,
    seen = %(seen)s::bigint[],
    forgotten = forgotten + %(forgotten)s
WHERE device = %(device)s"""
_PROGRESS = """SELECT c.name AS company, highest_seq, highest_version, queued, oldest_seq, last_seen_at, clock_offset_ms
FROM device_progress p JOIN device d ON d.id = p.device JOIN company c ON c.id = d.company WHERE p.device = %s"""
_MOST_OFFSET_MS = 10**15


@dataclass(frozen=True, slots=True)
class Gaps:
    """Numbers that an appliance gave away and that never arrived, as ranges of first and last.

    `forgotten` more were missing once, and are not told apart any more.
    """

    ranges: tuple[tuple[int, int], ...]
    forgotten: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an appliance is."""

    company: str
    highest_seq: int
    highest_version: int
    queued: int
    oldest_seq: int | None
    last_seen_at: datetime | None
    clock_offset_ms: int | None


async def locked(work: Transaction, device: UUID) -> Row:
    """The appliance's row, with its company's `country`; nobody else changes its records until the transaction ends.

    Raises: NotFound.
    """
    row = await work.row(_LOCK, [device])
    if row is None:
        raise NotFound("no such appliance; it has to enrol first")
    return row


async def advance(
    work: Transaction, row: Row, numbers: Sequence[tuple[int, int]], queue: QueueReport, now: datetime
) -> None:
    """Note the `seq` and `version` of what was taken, and how the queue is."""
    seen, forgotten = with_seqs(row["seen"], (seq for seq, _ in numbers))
    offset = round((queue.sent_at - now) / timedelta(milliseconds=1))
    changes: dict[str, Any] = {
        "device": row["device"],
        "seq": max((seq for seq, _ in numbers), default=0),
        "version": max((version for _, version in numbers), default=0),
        "queued": queue.queued,
        "next_seq": queue.next_seq,
        "oldest_seq": queue.oldest_seq,
        "now": now,
        "offset": max(-_MOST_OFFSET_MS, min(offset, _MOST_OFFSET_MS)),
        "trusted": queue.clock_trusted,
        "seen": seen,
        "forgotten": forgotten,
    }
    await work.run(_UPDATE, changes)


async def progress(database: Database, device: UUID) -> Progress:
    """Where an appliance is. Raises: NotFound, DatabaseUnavailable, Busy."""
    rows = await database.rows(_PROGRESS, [device])
    if not rows:
        raise NotFound("no such appliance; it has to enrol first")
    return Progress(**rows[0])


async def gaps(database: Database, device: UUID) -> Gaps:
    """What should have arrived and did not: below the oldest number that still waits on the appliance.

    Raises: NotFound, DatabaseUnavailable, Busy.
    """
    rows = await database.rows(
        "SELECT seen, coalesce(oldest_seq, next_seq) AS below, forgotten FROM device_progress WHERE device = %s",
        [device],
    )
    if not rows:
        raise NotFound("no such appliance; it has to enrol first")
    return Gaps(tuple(missing(rows[0]["seen"], rows[0]["below"])), rows[0]["forgotten"])
