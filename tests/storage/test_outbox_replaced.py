"""The outbox where another database takes the place of its own: nothing is forgotten, no version comes twice."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from firmware.errors import BackupUnusable
from firmware.events import CallEnd, CallerId
from firmware.ports import Answer, Entry, Outcome, Route
from firmware.storage.backup import make_backup
from firmware.storage.backup_check import check_backup
from firmware.storage.erasure import erase_caller
from firmware.storage.migrations import CURRENT_VERSION
from firmware.storage.outbox import DiskOutbox
from firmware.storage.restore import restore_backup
from firmware.storage.snapshot import check_snapshot, take_snapshot
from firmware.storage.stamps import Stamp
from firmware.storage.store import Store

COLLECTOR = Route("collector", frozenset({"call", "message", "callback", "incident", "recording"}))
NUMBER = "13800138000"


@pytest.fixture
async def outbox(data_dir: Path, clock: Any) -> AsyncIterator[DiskOutbox]:
    made = DiskOutbox(data_dir, clock)
    yield made
    made.close()


@pytest.fixture
def message(leave: Callable[..., Any], spoken: Callable[..., bytes]) -> Callable[..., Any]:
    async def make(store: Store, seed: int = 1) -> str:
        call = await store.call_offered("front", CallerId(NUMBER))
        kept = await store.keep_message(call, await leave(store, call, spoken(8000, seed)), "zh")
        await store.call_ended(call, CallEnd.COMPLETED, None, "zh", ["message"])
        return str(kept.message_id)

    return make


async def drain(outbox: DiskOutbox) -> list[Entry]:
    taken: list[Entry] = []
    while entries := await outbox.take("collector", 200):
        taken += entries
        await outbox.settle("collector", [Answer(entry.seq, entry.version, Outcome.STORED) for entry in entries])
    return taken


async def test_a_restored_database_gives_no_version_and_no_number_out_again(
    make_store: Callable[..., Store], outbox: DiskOutbox, message: Callable[..., Any], data_dir: Path, clock: Any
) -> None:
    store = make_store()
    await store.open()
    await outbox.use_routes([COLLECTOR])
    kept = await message(store)
    make_backup(data_dir, data_dir.parent / "then", Stamp.now(clock))
    before = await drain(outbox)
    await store.mark_urgent(kept)
    before += await drain(outbox)
    await message(store, 2)
    before += await drain(outbox)
    await store.close()
    restore_backup(data_dir.parent / "then", data_dir, Stamp.now(clock))
    again = make_store()
    await again.open()
    await again.mark_urgent(kept)
    await message(again, 3)
    after = {(entry.kind, entry.record_id): entry for entry in await drain(outbox)}
    # What waited in the backup is what it was; what changed since has a version that no other body ever had.
    known = {(entry.record_id, entry.version) for entry in before}
    seqs = {entry.seq for entry in before}
    new = [entry for entry in after.values() if (entry.record_id, entry.version) not in known]
    assert after["message", kept].version > max(entry.version for entry in before)
    assert sorted(entry.kind for entry in new) == ["call", "message", "message", "recording"]
    assert all(entry.seq not in seqs for entry in new if entry.record_id != kept)
    await again.close()


async def test_what_was_erased_after_a_backup_is_told_to_far_ends_once_more(
    make_store: Callable[..., Store], outbox: DiskOutbox, message: Callable[..., Any], data_dir: Path, clock: Any
) -> None:
    store = make_store()
    await store.open()
    await outbox.use_routes([COLLECTOR])
    old = await message(store)
    make_backup(data_dir, data_dir.parent / "then", Stamp.now(clock))
    new = await message(store, 2)
    delivered = await drain(outbox)
    clock.moment += timedelta(hours=1)
    erase_caller(data_dir, NUMBER, clock, "CN")
    await store.close()
    # Its tombstones were never sent, and the database that had them is put aside.
    restore_backup(data_dir.parent / "then", data_dir, Stamp.now(clock))
    entries = {entry.record_id: entry for entry in await outbox.take("collector", 200)}
    assert all(entries[message_id].body is None for message_id in (old, new))
    versions = {entry.record_id: entry.version for entry in delivered}
    assert all(entries[message_id].version > versions[message_id] for message_id in (old, new))
    recordings = {entry.record_id for entry in delivered if entry.kind == "recording"}
    assert {entry.record_id for entry in entries.values() if entry.kind == "recording"} == recordings
    assert all(entries[recording].body is None for recording in recordings)
    (known, forgotten) = [entries[entry.record_id] for entry in delivered if entry.kind == "call"]
    assert known.body is not None
    assert (known.body["caller_number"], forgotten.body) == (None, None)


async def test_a_database_that_can_not_be_read_at_all_is_followed_by_one_that_delivers_what_is_left(
    make_store: Callable[..., Store], outbox: DiskOutbox, message: Callable[..., Any], data_dir: Path
) -> None:
    store = make_store()
    await store.open()
    await outbox.use_routes([COLLECTOR])
    for seed in range(3):
        await message(store, seed)
    delivered = await drain(outbox)
    await store.close()
    with (data_dir / "linekeeper.db").open("r+b") as file:
        file.seek(18)  # the format's version
        file.write(b"\xff" * 60)
    again = make_store()
    await again.open()
    entries = await drain(outbox)
    recordings = {entry.record_id for entry in delivered if entry.kind == "recording"}
    assert {entry.record_id for entry in entries if entry.kind == "recording"} == recordings
    assert sum(entry.kind == "message" for entry in entries) == 3
    assert min(entry.version for entry in entries) > max(entry.version for entry in delivered)
    assert len({(entry.kind, entry.record_id) for entry in entries}) == len(entries)
    await again.close()


async def test_a_database_that_knows_no_routes_gets_them_from_who_uses_it(
    store: Store, outbox: DiskOutbox, message: Callable[..., Any], data_dir: Path
) -> None:
    take_snapshot(data_dir / "linekeeper.db", data_dir / "older.db")
    await outbox.use_routes([COLLECTOR])
    await message(store)
    await drain(outbox)
    await store.close()
    (data_dir / "older.db").rename(data_dir / "linekeeper.db")
    assert await outbox.take("collector", 200) == []
    with closing(sqlite3.connect(data_dir / "linekeeper.db")) as db:
        assert db.execute("SELECT name FROM outbox_route").fetchall() == [("collector",)]


async def test_a_backup_with_programs_or_numbers_of_its_own_is_refused(
    store: Store, outbox: DiskOutbox, data_dir: Path, tmp_path: Path
) -> None:
    for number, statement in enumerate(
        (
            "CREATE TRIGGER mine AFTER INSERT ON call BEGIN DELETE FROM message; END",
            "DROP TRIGGER outbox_new_call",
            "CREATE VIEW mine AS SELECT * FROM call",
            "UPDATE outbox_counter SET version = 9223372036854775807",
            "DELETE FROM outbox_counter",
        )
    ):
        file = tmp_path / f"{number}.db"
        take_snapshot(data_dir / "linekeeper.db", file)
        check_snapshot(file)
        with closing(sqlite3.connect(file)) as db:
            db.execute(statement)
            db.commit()
            db.execute("PRAGMA journal_mode = DELETE")
        with pytest.raises(BackupUnusable, match="damaged"):
            check_snapshot(file)


async def test_a_backup_holds_the_outbox(
    store: Store, outbox: DiskOutbox, message: Callable[..., Any], data_dir: Path, clock: Any
) -> None:
    await outbox.use_routes([COLLECTOR])
    await message(store)
    make_backup(data_dir, data_dir.parent / "now", Stamp.now(clock))
    assert check_backup(data_dir.parent / "now", data_dir).database_version == CURRENT_VERSION
