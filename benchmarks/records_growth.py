"""Whether storing stays fast as years of records lie in the database: `python -m benchmarks.records_growth [ROWS]`.

Batches of 200 through the collector's own store, into a real PostgreSQL that syncs to disk, before and after ROWS
records (1,500,000 unless told otherwise) over 36 months and 1,000 appliances.
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
_END = datetime(2029, 1, 1, tzinfo=UTC)
_FILL = """INSERT INTO record (record_id, device, kind, version, seq, at, clock_trusted, number, call_id,
    body_hash, body)
SELECT (lpad(to_hex(%(ms)s + n * %(step)s), 12, '0') || '7' || substr(h, 1, 3) || '8' || substr(h, 4, 15))::uuid,
    ('00000000-0000-4000-8000-' || lpad((n %% %(devices)s)::text, 12, '0'))::uuid, 'message', n, n, now(), true,
    '+86138' || lpad((n %% 90000000)::text, 8, '0'), gen_random_uuid(), decode(md5(n::text), 'hex'),
    jsonb_build_object('line', 'front', 'urgent', false, 'transcript', repeat(h, 8))
FROM (SELECT n, md5(n::text || 'x') AS h FROM generate_series(1::bigint, %(rows)s) n) made"""


class _Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def _record(number: int, at: datetime) -> IncomingRecord:
    identity = UUID(int=lowest_id(at).int | 7 << 76 | 0b10 << 62 | number)
    body = {"caller_number": f"0208{number:07}", "line": "front", "transcript": "x" * 200, "urgent": False}
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


async def _rate(store: RecordStore, device: UUID, first: int) -> tuple[float, list[list[IncomingRecord]]]:
    start = _END - timedelta(days=10)
    numbers = range(first, first + _BATCH * _BATCHES)
    records = [_record(number, start + timedelta(milliseconds=number)) for number in numbers]
    batches = [records[at : at + _BATCH] for at in range(0, len(records), _BATCH)]
    return await _store_all(store, device, batches, "stored"), batches


async def _store_all(store: RecordStore, device: UUID, batches: list[list[IncomingRecord]], outcome: str) -> float:
    spans = []
    for batch in batches:
        queue = QueueReport(1, batch[-1].seq + 1, batch[0].seq, datetime.now(UTC), True)
        began = time.perf_counter()
        answers = await store.store(device, batch, queue)
        spans.append(time.perf_counter() - began)
        assert {answer.outcome.value for answer in answers} == {outcome}
    # The median: the machine may have other work, and PostgreSQL writes its checkpoints.
    return _BATCH / median(spans)


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


async def _measure(url: str, rows: int) -> None:
    async with Database(url) as database:
        await migrate(database)
        await make_months(database, [Month.of(_END).after(-back) for back in range(_MONTHS, -2, -1)])
        async with database.transaction() as work:
            device = await add_device(work, await company_named(work, "Acme"), "bench")
        store = RecordStore(database, _Clock())
        await _rate(store, device, 1)  # warm
        before, _ = await _rate(store, device, 1_000_000)
        seconds = await _fill(database, rows)
        async with database.transaction(statement_seconds=600) as work:
            await work.run("ANALYZE record")
            await work.run("CHECKPOINT")
        (size,) = await database.rows(
            "SELECT sum(pg_total_relation_size(inhrelid)) / 1e6 AS mb FROM pg_inherits"
            " WHERE inhparent = 'record'::regclass"
        )
        after, batches = await _rate(store, device, 2_000_000)
        again = await _store_all(store, device, batches, "duplicate")
        each = await _looked_up(database, device, batches[0])
    print(f"{rows} records over {_MONTHS} months in {seconds:.0f} s, {size['mb']:.0f} MB with indexes")
    print(f"stored/s: {before:.0f} before, {after:.0f} after ({after / before:.2f}); known already: {again:.0f}/s")
    print(f"one record by its id: {each:.2f} ms")


def _main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_500_000
    with PostgresServer(durable=True) as server:
        asyncio.run(_measure(server.database(), rows))


if __name__ == "__main__":
    _main()
