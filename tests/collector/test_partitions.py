"""Months of records: made ahead, once, and looked into only where they can hold what is asked for."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from collector.database import Database
from collector.migrating import migrate
from collector.partitions import Month, lowest_id, make_ahead, make_months
from collector.records.store import RecordStore
from collector.records.writing import KEPT
from tests.collector.databases import NOW
from tests.collector.records.wire import FixedClock, incoming, record_id, report


async def tables_of(database: Database) -> list[str]:
    rows = await database.rows("SELECT tableoid::regclass::text AS it FROM record ORDER BY record_id")
    return [row["it"] for row in rows]


async def touched(database: Database, statement: str, parameters: Any) -> set[str]:
    """The partitions that PostgreSQL plans to look into."""
    rows = await database.rows(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
    return set(_relations(rows[0]["QUERY PLAN"]))


def _relations(plan: Any) -> list[str]:
    if isinstance(plan, list):
        return [name for part in plan for name in _relations(part)]
    if not isinstance(plan, dict):
        return []
    name = plan.get("Relation Name")
    return ([name] if name else []) + [name for part in plan.values() for name in _relations(part)]


async def test_copies_that_start_at_once_migrate_once(database_url: str) -> None:
    async def start() -> list[str]:
        async with Database(database_url, most_connections=2) as database:
            applied = await migrate(database)
            return applied + await make_ahead(database, NOW)

    started = await asyncio.gather(*(start() for _ in range(4)))
    done = sorted(name for one in started for name in one)
    assert len(done) == len(set(done))
    assert [name for name in done if name.startswith("record_")] == [
        "record_2026_10", "record_2026_11", "record_2026_12", "record_2027_01", "record_2027_02",
    ]  # fmt: skip
    assert "001_records" in done


async def test_each_id_lies_in_its_month(database: Database, device: UUID) -> None:
    times = [
        datetime(1970, 1, 1, 0, 1, tzinfo=UTC),
        datetime(2026, 11, 1, tzinfo=UTC) - timedelta(milliseconds=1),
        datetime(2026, 11, 1, tzinfo=UTC),
        datetime(2031, 5, 1, tzinfo=UTC),
    ]
    records = [incoming(seq, id=record_id(at)) for seq, at in enumerate(times, 1)]
    records.append(incoming(9, id="ffffffff-ffff-4fff-bfff-ffffffffffff"))
    await RecordStore(database, FixedClock()).store(device, records, report(records))
    assert await tables_of(database) == [
        "record_early", "record_2026_10", "record_2026_11", "record_default", "record_default",
    ]  # fmt: skip


async def test_a_late_month_takes_its_records_out_of_the_default(database: Database, device: UUID) -> None:
    store = RecordStore(database, FixedClock())
    ids = [record_id(datetime(2028, month, 1, tzinfo=UTC)) for month in (3, 4, 5)]
    records = [incoming(seq, id=name) for seq, name in enumerate(ids, 1)]
    await store.store(device, records, report(records))
    assert await make_months(database, [Month(2028, 4)]) == ["record_2028_04"]
    assert await tables_of(database) == ["record_default", "record_2028_04", "record_default"]
    answers = await store.store(device, records, report(records))
    assert {answer.outcome.value for answer in answers} == {"duplicate"}


async def test_months_are_made_while_records_arrive(database: Database, device: UUID) -> None:
    store = RecordStore(database, FixedClock())
    start = datetime(2029, 1, 1, tzinfo=UTC)

    async def deliver() -> None:
        for seq in range(1, 40):
            records = [incoming(seq, id=record_id(start + timedelta(days=9 * seq)))]
            await store.store(device, records, report(records))

    await asyncio.gather(deliver(), make_months(database, [Month(2029, number) for number in range(1, 13)]))
    assert len(await tables_of(database)) == 39
    assert "record_default" not in await tables_of(database)


async def test_only_months_that_can_hold_it_are_looked_into(database: Database, device: UUID) -> None:
    ids = [UUID(record_id(NOW)), UUID(record_id(NOW - timedelta(days=31)))]
    assert await touched(database, KEPT, [ids, device]) == {"record_2026_11", "record_2026_10"}
    between = "SELECT * FROM record WHERE record_id >= %s AND record_id < %s"
    day = [lowest_id(NOW), lowest_id(NOW + timedelta(days=1))]
    assert await touched(database, between, day) == {"record_2026_11"}


async def test_an_old_month_can_be_taken_off_and_put_back(database: Database, device: UUID) -> None:
    store = RecordStore(database, FixedClock())
    records = [incoming(1, id=record_id(datetime(2026, 10, 5, tzinfo=UTC))), incoming(2)]
    await store.store(device, records, report(records))
    async with database.transaction() as work:
        await work.run("ALTER TABLE record DETACH PARTITION record_2026_10")
    assert await tables_of(database) == ["record_2026_11"]
    month = Month(2026, 10)
    async with database.transaction() as work:
        bounds = f"FROM ('{month.first_id}') TO ('{month.after().first_id}')"
        await work.run(f"ALTER TABLE record ATTACH PARTITION record_2026_10 FOR VALUES {bounds}")
    assert await tables_of(database) == ["record_2026_10", "record_2026_11"]


@given(st.integers(0, 220_000_000_000))
def test_a_moment_lies_in_its_month_and_in_no_other(seconds: int) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    month = Month.of(at)
    assert month.first_id <= lowest_id(at) < month.after().first_id
    assert month.after(-1).after() == month
