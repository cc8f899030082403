"""One contract for both outboxes: the one on the disk, and the one in memory that senders are tested with."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Protocol

import pytest

from firmware.clock import SystemClock
from firmware.ports import Answer, Entry, Outbox, Outcome, Route
from firmware.simulation.outbox import MemoryOutbox
from firmware.storage.incident_store import IncidentStore
from firmware.storage.outbox import DiskOutbox

MAIN = Route("main", frozenset({"incident"}))
REFUSALS = 3


class Bench(Protocol):
    """An outbox, and a way to write incidents that go into it."""

    outbox: Outbox

    async def write(self, place: str) -> None:
        """A new incident there."""

    async def change(self, place: str) -> None:
        """It goes on."""

    async def erase(self, place: str) -> None:
        """It is gone."""


class InMemory:
    def __init__(self) -> None:
        self._memory = MemoryOutbox(SystemClock(), refusals=REFUSALS)
        self.outbox: Outbox = self._memory
        self._changes = 0

    async def write(self, place: str) -> None:
        self._memory.write(place, "incident", {"place": place})

    async def change(self, place: str) -> None:
        self._changes += 1
        self._memory.write(place, "incident", {"place": place, "changes": self._changes})

    async def erase(self, place: str) -> None:
        self._memory.erase(place)


class OnDisk:
    def __init__(self, folder: Path) -> None:
        self._disk = DiskOutbox(folder, SystemClock(), refusals=REFUSALS)
        self.outbox: Outbox = self._disk
        self._incidents = IncidentStore(folder, SystemClock())
        self._file = folder / "linekeeper.db"

    async def write(self, place: str) -> None:
        await self._incidents.open_incident("test", place, "something broke")

    async def change(self, place: str) -> None:
        await self._incidents.note_incident("test", place, "it was mended")

    async def erase(self, place: str) -> None:
        with closing(sqlite3.connect(self._file)) as db, db:
            db.execute("PRAGMA foreign_keys = ON")
            for table in ("incident_action", "incident_notice"):
                db.execute(
                    f"DELETE FROM {table} WHERE incident_id IN (SELECT id FROM incident WHERE place = ?)", (place,)
                )
            db.execute("DELETE FROM incident WHERE place = ?", (place,))

    async def close(self) -> None:
        self._disk.close()
        await self._incidents.close()


@pytest.fixture(params=["memory", "disk"])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    if request.param == "memory":
        yield InMemory()
        return
    made = OnDisk(tmp_path)
    yield made
    await made.close()


def said(entries: object, outcome: Outcome = Outcome.STORED) -> list[Answer]:
    assert isinstance(entries, list)
    return [Answer(entry.seq, entry.version, outcome, "so") for entry in entries]


async def taken(bench: Bench, limit: int = 200) -> list[Entry]:
    return list(await bench.outbox.take("main", limit))


async def test_entries_come_in_order_and_go_when_they_are_committed(bench: Bench) -> None:
    await bench.outbox.use_routes([MAIN])
    for place in "abc":
        await bench.write(place)
    first = await taken(bench, 2)
    assert [entry.seq for entry in first] == [1, 2]
    assert await taken(bench, 2) == first
    state = await bench.outbox.state("main")
    assert (state.queued, state.oldest_seq, state.next_seq, state.last_success_at) == (3, 1, 4, None)
    await bench.outbox.settle("main", said(first))
    assert [entry.seq for entry in await taken(bench)] == [3]
    state = await bench.outbox.state("main")
    assert (state.queued, state.oldest_seq, state.next_seq) == (1, 3, 4)
    assert state.last_success_at is not None


async def test_change_in_between_keeps_the_place_and_leaves_the_entry(bench: Bench) -> None:
    await bench.outbox.use_routes([MAIN])
    await bench.write("a")
    before = await taken(bench)
    await bench.change("a")
    await bench.outbox.settle("main", said(before))
    [after] = await taken(bench)
    assert after.seq == before[0].seq
    assert after.version > before[0].version
    assert after.body != before[0].body


async def test_what_was_erased_goes_as_a_tombstone_also_when_it_was_delivered(bench: Bench) -> None:
    await bench.outbox.use_routes([MAIN])
    await bench.write("a")
    [told] = await taken(bench)
    await bench.outbox.settle("main", said([told]))
    await bench.erase("a")
    [tombstone] = await taken(bench)
    assert (tombstone.record_id, tombstone.body, tombstone.blob) == (told.record_id, None, None)
    assert tombstone.version > told.version


async def test_refused_again_and_again_is_set_aside_until_it_changes(bench: Bench) -> None:
    await bench.outbox.use_routes([MAIN])
    await bench.write("a")
    await bench.write("b")
    for _ in range(REFUSALS):
        bad = (await taken(bench))[:1]
        await bench.outbox.settle("main", said(bad, Outcome.REJECTED))
    assert [entry.seq for entry in await taken(bench)] == [2]
    state = await bench.outbox.state("main")
    assert (state.queued, state.quarantined, state.oldest_seq) == (1, 1, 2)
    await bench.change("a")
    assert [entry.seq for entry in await taken(bench)] == [1, 2]


async def test_need_of_audio_is_no_refusal(bench: Bench) -> None:
    await bench.outbox.use_routes([MAIN])
    await bench.write("a")
    for _ in range(REFUSALS + 1):
        await bench.outbox.settle("main", said(await taken(bench), Outcome.NEED_BLOB))
    assert len(await taken(bench)) == 1


async def test_new_route_gets_what_was_there_only_if_it_wants_history(bench: Bench) -> None:
    await bench.outbox.use_routes([MAIN])
    await bench.write("a")
    new = Route("new", MAIN.kinds, history=False)
    await bench.outbox.use_routes([MAIN, new, Route("other", MAIN.kinds)])
    assert [len(await bench.outbox.take(name, 9)) for name in ("main", "new", "other")] == [1, 0, 1]
    await bench.write("b")
    assert [len(await bench.outbox.take(name, 9)) for name in ("main", "new", "other")] == [2, 1, 2]
    await bench.outbox.use_routes([new])
    assert (await bench.outbox.state("main")).queued == 0


async def test_route_without_changes_hears_of_each_record_once(bench: Bench) -> None:
    await bench.outbox.use_routes([Route("main", MAIN.kinds, changes=False)])
    await bench.write("a")
    await bench.outbox.settle("main", said(await taken(bench)))
    await bench.change("a")
    assert await taken(bench) == []


async def test_delayed_entry_is_not_due_yet(bench: Bench) -> None:
    await bench.outbox.use_routes([Route("main", MAIN.kinds, delay_seconds=0.3)])
    await bench.write("a")
    assert await taken(bench) == []
    async with asyncio.timeout(10):
        while not await taken(bench):
            await asyncio.sleep(0.05)


async def test_numbers_go_on_above_what_the_far_end_knows(bench: Bench) -> None:
    await bench.outbox.use_routes([MAIN])
    await bench.write("a")
    await bench.write("b")
    await bench.outbox.count_from(100, 5000)
    entries = await taken(bench)
    assert [entry.seq for entry in entries] == [101, 102]
    assert all(entry.version > 5000 for entry in entries)
    await bench.outbox.count_from(7, 7)
    assert await taken(bench) == entries


async def test_last_error_is_told_until_something_goes(bench: Bench) -> None:
    await bench.outbox.use_routes([MAIN])
    await bench.write("a")
    await bench.outbox.failed("main", "no network")
    assert (await bench.outbox.state("main")).last_error == "no network"
    await bench.outbox.settle("main", said(await taken(bench)))
    assert (await bench.outbox.state("main")).last_error is None
