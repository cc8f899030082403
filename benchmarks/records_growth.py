"""Whether storing stays fast as years of records lie in the database: `python -m benchmarks.records_growth [ROWS]`.

Batches of 200 through the collector's own store, into a real PostgreSQL that syncs to disk: in turns into an empty
database and into one with ROWS records (1,500,000 unless told otherwise) over 36 months and 1,000 appliances.
"""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import UTC, datetime, timedelta
from statistics import median
from uuid import UUID

from benchmarks.postgres import PostgresServer
from collector.database import Database
from collector.migrating import migrate
from collector.partitions import Month, lowest_id, make_months
from collector.records.devices import add_device, company_named
from collector.records.incoming import IncomingRecord, QueueReport, record_of
from collector.records.store import RecordStore

_MONTHS = 36
_DEVICES = 1000
_BATCH, _BATCHES = 200, 75
# Few enough that reading their numbers costs either database the same.
_CALLERS = 1000
_END = datetime(2029, 1, 1, tzinfo=UTC)
_FILL = """INSERT INTO record (record_id, device, kind, version, seq, at, clock_trusted, number, call_id,
    body_hash, body)
SELECT (lpad(to_hex(%(ms)s + n * %(step)s), 12, '0') || '7' || substr(h, 1, 3) || '8' || substr(h, 4, 15))::uuid,
    ('00000000-0000-4000-8000-' || lpad((n %% %(devices)s)::text, 12, '0'))::uuid, 'message', n, n, now(), true,
    '+86138' || lpad((n %% 90000000)::text, 8, '0'), gen_random_uuid(), decode(md5(n::text), 'hex'),
    jsonb_build_object('line', 'front', 'urgent', false, 'transcript', repeat(h, 8))
FROM (SELECT n, md5(n::text || 'x') AS h FROM generate_series(1::bigint, %(rows)s) n) made"""

_SIZE = """SELECT sum(pg_total_relation_size(inhrelid)) / 1e6 AS mb FROM pg_inherits
WHERE inhparent = 'record'::regclass"""


class _Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def _record(number: int, at: datetime) -> IncomingRecord:
    identity = UUID(int=lowest_id(at).int | 7 << 76 | 0b10 << 62 | number)
    body = {"caller_number": f"0208{number % _CALLERS:07}", "line": "front", "transcript": "x" * 200, "urgent": False}
    record = record_of(
        {
            "kind": "message",
            "id": str(identity),
            "seq": number,
            "version": number,
            "queued_at": at.isoformat(),
            "clock_trusted": True,
            "erased": False,
            "body": body,
            "blob": None,
        }
    )
    assert isinstance(record, IncomingRecord)
    return record


class _Place:
    """A database of its own, with its months and one appliance that delivers."""

    def __init__(self, database: Database, device: UUID) -> None:
        self.database = database
        self.device = device
        self._store = RecordStore(database, _Clock())

    async def seconds(self, batch: list[IncomingRecord], outcome: str) -> float:
        queue = QueueReport(1, batch[-1].seq + 1, batch[0].seq, datetime.now(UTC), True)
        began = time.perf_counter()
        answers = await self._store.store(self.device, batch, queue)
        took = time.perf_counter() - began
        assert {answer.outcome.value for answer in answers} == {outcome}
        return took


async def _prepare(database: Database) -> _Place:
    await migrate(database)
    months = [Month.of(_END).after(-back) for back in range(_MONTHS, -2, -1)]
    await make_months(database, months)
    async with database.transaction() as work:
        for month in months:  # what a fill of years in a minute starts would be in the way of what is measured
            await work.run(f"ALTER TABLE {month.table} SET (autovacuum_enabled = off)")
        return _Place(database, await add_device(work, await company_named(work, "Acme"), "bench"))


async def _rates(places: list[_Place], batches: list[list[IncomingRecord]], outcome: str) -> list[float]:
    """Records a second, of each: in turns, as the machine may have other work, and the median of batches."""
    spans = [[await place.seconds(batch, outcome) for place in places] for batch in batches]
    return [_BATCH / median(column) for column in zip(*spans, strict=True)]


def _batches() -> list[list[IncomingRecord]]:
    start = _END - timedelta(days=10)
    records = [_record(number, start + timedelta(milliseconds=number)) for number in range(1, _BATCH * _BATCHES + 1)]
    return [records[at : at + _BATCH] for at in range(0, len(records), _BATCH)]


async def _fill(database: Database, rows: int) -> float:
    start = lowest_id(_END - timedelta(days=_MONTHS * 30.4)).int >> 80
    step = ((lowest_id(_END).int >> 80) - start) // rows
    began = time.perf_counter()
    async with database.transaction(statement_seconds=1800) as work:
        await work.run(_FILL, {"ms": start, "step": step, "devices": _DEVICES, "rows": rows})
    return time.perf_counter() - began


async def _looked_up(database: Database, device: UUID, batch: list[IncomingRecord]) -> float:
    began = time.perf_counter()
    for record in batch:
        await database.rows("SELECT * FROM record WHERE record_id = %s AND device = %s", [record.record_id, device])
    return (time.perf_counter() - began) * 1000 / len(batch)


async def _measure(urls: list[str], rows: int) -> None:
    async with Database(urls[0]) as one, Database(urls[1]) as other:
        empty, full = await _prepare(one), await _prepare(other)
        seconds = await _fill(full.database, rows)
        async with full.database.transaction(statement_seconds=600) as work:
            await work.run("ANALYZE record")
            await work.run("CHECKPOINT")
        size = await full.database.rows(_SIZE)
        batches = _batches()
        await _rates([empty, full], batches[:10], "stored")  # warm
        batches = batches[10:]
        before, after = await _rates([empty, full], batches, "stored")
        _, again = await _rates([empty, full], batches, "duplicate")
        each = await _looked_up(full.database, full.device, batches[0])
    print(f"{rows} records over {_MONTHS} months in {seconds:.0f} s, {size[0]['mb']:.0f} MB with indexes")
    print(f"stored/s: {before:.0f} empty, {after:.0f} full ({after / before:.2f}); known already, full: {again:.0f}/s")
    print(f"one record by its id: {each:.2f} ms")


def _main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_500_000
    with PostgresServer(durable=True) as server:
        asyncio.run(_measure([server.database(), server.database()], rows))


if __name__ == "__main__":
    _main()
