"""Recordings that nothing needs leave the store; one that comes back meanwhile does not."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

from collector.database import Database
from collector.errors import CollectorError
from collector.records import blob_rows, progress
from collector.records.store import RecordStore
from tests.collector.databases import NOW
from tests.collector.importing.folders import MemoryShelf
from tests.collector.records.wire import FixedClock, incoming, report

NAMES = [f"{number:064x}" for number in range(1, 7)]


class GatedShelf(MemoryShelf):
    """Its deletions wait to be let on, and some fail."""

    def __init__(self, failing: set[str]) -> None:
        super().__init__()
        self.failing = failing
        self.deleting = asyncio.Event()
        self.may_go_on = asyncio.Event()

    async def delete(self, device: UUID, sha256: str) -> None:
        self.deleting.set()
        await self.may_go_on.wait()
        if sha256 in self.failing:
            raise CollectorError("away")
        await super().delete(device, sha256)


async def keep(database: Database, shelf: MemoryShelf, device: UUID, sha256: str) -> None:
    await shelf.put(device, sha256, b"x")
    await blob_rows.note(database, device, sha256, 1)


async def doom(database: Database, device: UUID, *hashes: str) -> None:
    async with database.transaction() as work:
        await progress.locked(work, device)
        await blob_rows.doom(work, device, [bytes.fromhex(one) for one in hashes], NOW)


async def test_what_is_doomed_is_swept_and_the_rest_stays(database: Database, device: UUID) -> None:
    shelf = MemoryShelf()
    for name in NAMES[:2]:
        await keep(database, shelf, device, name)
    await doom(database, device, NAMES[0])
    assert await blob_rows.sweep(database, shelf, NOW) == 1
    assert await blob_rows.sweep(database, shelf, NOW) == 0
    assert list(shelf.kept) == [(device, NAMES[1])]


async def test_one_that_the_store_will_not_give_up_keeps_no_other(database: Database, device: UUID) -> None:
    shelf = GatedShelf({NAMES[0]})
    shelf.may_go_on.set()
    for name in NAMES:
        await keep(database, shelf, device, name)
    await doom(database, device, *NAMES)
    assert await blob_rows.sweep(database, shelf, NOW) == 5
    assert list(shelf.kept) == [(device, NAMES[0])]
    shelf.failing.clear()
    assert await blob_rows.sweep(database, shelf, NOW) == 1


async def test_a_store_that_is_away_is_asked_a_few_times_only(database: Database, device: UUID) -> None:
    shelf = GatedShelf(set(NAMES))
    shelf.may_go_on.set()
    for name in NAMES:
        await keep(database, shelf, device, name)
    await doom(database, device, *NAMES)
    assert await blob_rows.sweep(database, shelf, NOW) == 0
    assert len(await database.rows("SELECT * FROM doomed_blob")) == 6


async def test_a_recording_that_comes_back_while_it_is_swept_is_found_missing(database: Database, device: UUID) -> None:
    shelf = GatedShelf(set())
    await keep(database, shelf, device, NAMES[0])
    await doom(database, device, NAMES[0])
    sweeping = asyncio.create_task(blob_rows.sweep(database, shelf, NOW))
    await shelf.deleting.wait()
    noting = asyncio.create_task(keep(database, shelf, device, NAMES[0]))
    waiting = "SELECT 1 AS one FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    while not await database.rows(waiting):
        await asyncio.sleep(0)
    shelf.may_go_on.set()
    await asyncio.gather(sweeping, noting)
    assert not await shelf.has(device, NAMES[0])
    await blob_rows.forget(database, device, NAMES[0])
    await keep(database, shelf, device, NAMES[0])
    assert await blob_rows.sweep(database, shelf, NOW) == 0
    assert await shelf.has(device, NAMES[0])


async def test_what_no_record_ever_used_goes_after_a_while(database: Database, device: UUID) -> None:
    shelf = MemoryShelf()
    for name in NAMES[:2]:
        await keep(database, shelf, device, name)
    record = incoming(1, blob={"sha256": NAMES[0], "bytes": 1})
    await RecordStore(database, FixedClock()).store(device, [record], report([record]))
    (stored,) = await database.rows("SELECT max(stored_at) AS at FROM blob")
    later = stored["at"] + blob_rows.UNUSED_FOR + timedelta(seconds=1)
    assert await blob_rows.sweep(database, shelf, stored["at"] + blob_rows.UNUSED_FOR - timedelta(seconds=60)) == 0
    assert await blob_rows.sweep(database, shelf, later) == 1
    assert list(shelf.kept) == [(device, NAMES[0])]
