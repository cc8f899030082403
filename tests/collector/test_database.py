"""PostgreSQL that is away, busy, killed and back: an error in time, never a hang, and what was answered is there."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Iterator
from contextlib import suppress
from uuid import UUID

import pytest

from benchmarks.postgres import PostgresServer, free_port
from collector.database import Database
from collector.errors import Busy, DatabaseOther, DatabaseUnavailable, Malformed
from collector.migrating import migrate, migrations
from collector.partitions import make_ahead
from collector.records.devices import add_device, company_named
from collector.records.incoming import IncomingRecord
from collector.records.store import RecordStore
from tests.collector.databases import NOW
from tests.collector.records.wire import FixedClock, incoming, report

_BATCHES, _BATCH = 60, 10
_KILLS = 3


@pytest.fixture
def durable() -> Iterator[PostgresServer]:
    with PostgresServer(durable=True) as server:
        yield server


async def test_no_server_is_an_error_in_time() -> None:
    async with Database(f"postgresql://postgres@127.0.0.1:{free_port()}/none", wait_seconds=0.3) as database:
        with pytest.raises(DatabaseUnavailable):
            await database.rows("SELECT 1")


async def test_a_server_that_accepts_and_says_nothing_is_an_error_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://postgres@127.0.0.1:{silent.getsockname()[1]}/none"
        async with Database(url, wait_seconds=0.3) as database:
            with pytest.raises(DatabaseUnavailable):
                await database.rows("SELECT 1")


async def test_what_takes_too_long_is_busy_and_the_connection_is_good_again(database_url: str) -> None:
    async with Database(database_url, most_connections=1, statement_seconds=0.2) as database:
        with pytest.raises(Busy):
            await database.rows("SELECT pg_sleep(30)")
        assert await database.rows("SELECT 1 AS one") == [{"one": 1}]


async def test_connections_that_are_all_in_use_are_busy(database_url: str) -> None:
    async with Database(database_url, most_connections=1, wait_seconds=0.2) as database, database.transaction():
        with pytest.raises(Busy):
            await database.rows("SELECT 1")


async def test_a_lock_that_is_not_given_back_is_busy(database: Database, migrated_url: str, device: UUID) -> None:
    lock = "SELECT * FROM device FOR UPDATE"
    async with database.transaction() as work, Database(migrated_url, lock_seconds=0.1) as other:
        await work.rows(lock)
        with pytest.raises(Busy):
            await other.rows(lock)


async def test_a_cancelled_transaction_leaves_nothing_behind(database: Database) -> None:
    async def half() -> None:
        async with database.transaction() as work:
            await company_named(work, "half")
            await work.rows("SELECT pg_sleep(30)")

    task = asyncio.create_task(half())
    while not await database.rows("SELECT 1 AS it FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"):
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert await database.rows("SELECT * FROM company") == []


async def test_values_that_postgresql_cannot_hold_are_malformed(database: Database) -> None:
    with pytest.raises(Malformed):
        await database.rows("SELECT %s::text", ["a\0b"])
    with pytest.raises(Malformed):
        await database.rows("SELECT %s::uuid", ["no"])


async def test_a_newer_database_is_refused(database: Database) -> None:
    newest = migrations()[-1].number
    async with database.transaction() as work:
        await work.run("INSERT INTO migration (number, name) VALUES (%s, 'later')", [newest + 1])
    with pytest.raises(DatabaseOther, match=f"version {newest + 1}"):
        await migrate(database)


async def test_a_connection_that_died_while_idle_is_replaced(database: Database, migrated_url: str) -> None:
    await database.rows("SELECT 1")
    async with Database(migrated_url) as other:
        await other.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
    assert await database.rows("SELECT 1 AS one") == [{"one": 1}]


async def test_what_was_answered_outlives_kill_nine(durable: PostgresServer) -> None:
    async with Database(durable.database(), wait_seconds=1) as database:
        await migrate(database)
        await make_ahead(database, NOW)
        async with database.transaction() as work:
            device = await add_device(work, await company_named(work, "Acme"), "front desk")
        batches = [[incoming(1 + _BATCH * one + two) for two in range(_BATCH)] for one in range(_BATCHES)]
        answered = 0

        async def killer() -> None:
            choose = random.Random(5)
            for _ in range(_KILLS):
                await asyncio.sleep(choose.uniform(0.1, 0.4))
                await asyncio.to_thread(durable.kill)
                await asyncio.to_thread(durable.start)

        killing = asyncio.create_task(killer())
        store = RecordStore(database, FixedClock())
        for batch in batches:
            answered += await _until_answered(store, device, batch)
            await asyncio.sleep(0.01)  # so that the kills fall in between
        await killing
        rows = await database.rows("SELECT seq FROM record ORDER BY seq")
        assert [row["seq"] for row in rows] == list(range(1, _BATCH * _BATCHES + 1))
        assert answered == _BATCH * _BATCHES
        (progress,) = await database.rows("SELECT seen FROM device_progress")
        assert progress["seen"] == [1, _BATCH * _BATCHES + 1]


async def _until_answered(store: RecordStore, device: UUID, batch: list[IncomingRecord]) -> int:
    while True:
        try:
            answers = await store.store(device, batch, report(batch))
        except (DatabaseUnavailable, Busy):
            await asyncio.sleep(0.05)
        else:
            return len(answers)
