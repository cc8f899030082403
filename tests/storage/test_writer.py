"""A database that takes nothing for a while: nothing is lost, and the fault is told afterwards."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from firmware.errors import StorageError
from firmware.events import CallEnd, CallerId
from firmware.ports import CallbackRequest
from firmware.storage.store import Store

OpenRecords = Callable[[], Any]
CALLER = CallerId("13800138000")


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware.storage.database._BUSY_SECONDS", 0.05)


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    other = sqlite3.connect(data_dir / "linekeeper.db", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
    finally:
        other.close()


async def test_call_that_began_under_a_lock_is_kept_with_what_it_left(
    store: Store, data_dir: Path, records: OpenRecords
) -> None:
    call_id = store.new_call_id()
    with locked(data_dir), pytest.raises(StorageError):
        await store.call_offered("front", CallerId(), call_id)
    await store.keep_callback(call_id, CallbackRequest("13800138000", "morning"), "en")
    await store.call_answered(call_id, CALLER)
    await store.call_ended(call_id, CallEnd.COMPLETED, None, "en", ["greeting"])
    with records() as read:
        (call,) = read.calls()
        assert (call["id"], call["line"], call["caller_number"]) == (call_id, "front", "13800138000")
        assert len(read.callbacks()) == 1


async def test_end_of_a_call_under_a_lock_is_made_up_for(store: Store, data_dir: Path, records: OpenRecords) -> None:
    call_id = await store.call_offered("front", CallerId())
    with locked(data_dir):
        with pytest.raises(StorageError):
            await store.call_answered(call_id, CALLER)
        with pytest.raises(StorageError):
            await store.call_ended(call_id, CallEnd.COMPLETED, None, "en", ["greeting"])
    await store.call_offered("front", CallerId())
    with records() as read:
        first = read.calls()[0]
        assert (first["caller_number"], first["end_reason"]) == ("13800138000", "completed")


async def test_fault_of_the_database_is_an_incident_once_it_is_over(
    store: Store, data_dir: Path, records: OpenRecords
) -> None:
    with locked(data_dir):
        for _ in range(3):
            with pytest.raises(StorageError):
                await store.call_offered("front", CallerId())
    await store.remember_language("13800138000", "zh")
    with records() as read:
        (incident,) = read.incidents()
        assert incident["kind"] == "database"
        assert incident["started_at"] <= incident["ended_at"]
        assert "locked" in incident["summary"]
        assert len(read.calls()) == 3


async def test_nearly_full_disk_is_an_incident_until_there_is_room(
    make_store: Callable[..., Store], records: OpenRecords
) -> None:
    free = [10]
    store = make_store(free_bytes=lambda _: free[0], keep_free_megabytes=1)
    await store.open()
    assert not await store.voice_room()
    assert not await store.voice_room()
    with records() as read:
        (incident,) = read.incidents()
        assert (incident["kind"], incident["ended_at"]) == ("disk", None)
    free[0] = 10**12
    assert await store.voice_room()
    with records() as read:
        (incident,) = read.incidents()
        assert incident["ended_at"] is not None
    await store.close()
