"""Incidents of services that do not own the database, while another database takes its place."""

from __future__ import annotations

import errno
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from firmware.errors import StorageError
from firmware.events import CallerId
from firmware.ports import Clock
from firmware.storage.incident_store import IncidentStore
from firmware.storage.store import Store
from firmware.storage.swap import Move, ready_folder, replace_content

OpenRecords = Callable[[], Any]


@pytest.fixture
async def incidents(data_dir: Path, clock: Clock) -> AsyncIterator[IncidentStore]:
    opened = IncidentStore(data_dir, clock)
    yield opened
    await opened.close()


@pytest.fixture
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


def kinds(records: OpenRecords) -> list[str]:
    with records() as read:
        return [incident["kind"] for incident in read.incidents()]


def _cut(*_: Any) -> None:
    raise OSError(errno.EIO, "the power fails here")


async def test_a_database_that_is_away_for_a_moment_is_not_made_anew_under_its_owner(
    incidents: IncidentStore, data_dir: Path, store: Store, records: OpenRecords
) -> None:
    file = data_dir / "linekeeper.db"
    await store.call_offered("front", CallerId())
    await store.put_in_order()
    aside = file.rename(data_dir / "aside.db")
    with pytest.raises(StorageError, match="no database"):
        await incidents.open_incident("power", "ups", "mains is away")
    assert not file.exists()
    aside.rename(file)
    await incidents.note_incident("power", "ups", "speech was switched off")
    assert kinds(records)[0] == "power"


async def test_it_writes_into_the_database_that_was_put_in_place_meanwhile(
    incidents: IncidentStore, data_dir: Path, records: OpenRecords
) -> None:
    await incidents.open_incident("power", "ups", "mains is away")
    copy = (data_dir / "linekeeper.db").read_bytes()
    await incidents.open_incident("contact", "door", "the door is open")
    (data_dir / "restored").write_bytes(copy)
    (data_dir / "restored").rename(data_dir / "linekeeper.db")
    await incidents.open_incident("temperature", "processor", "too hot")
    assert kinds(records) == ["power", "contact", "temperature"]


async def test_a_database_replaced_in_the_middle_of_a_write_is_written_to_again(
    incidents: IncidentStore, data_dir: Path, records: OpenRecords, monkeypatch: pytest.MonkeyPatch
) -> None:
    await incidents.open_incident("power", "ups", "mains is away")
    copy = (data_dir / "linekeeper.db").read_bytes()
    (data_dir / "restored").write_bytes(copy)
    whole = incidents._brief._transaction

    def replaced(work: Callable[..., Any], lock: str) -> Any:
        done = whole(work, lock)
        (data_dir / "restored").rename(data_dir / "linekeeper.db")
        return done

    with monkeypatch.context() as patch:
        patch.setattr(incidents._brief, "_transaction", replaced)
        with pytest.raises(StorageError, match="was replaced"):
            await incidents.note_incident("power", "ups", "speech was switched off")
    await incidents.retry()
    with records() as read:
        assert [action["action"] for action in read.incidents()[0]["actions"]] == ["speech was switched off"]


async def test_what_is_owed_about_an_incident_that_a_backup_does_not_know_blocks_nothing(
    incidents: IncidentStore, data_dir: Path, records: OpenRecords, short_patience: None
) -> None:
    await incidents.open_incident("contact", "door", "the door is open")
    copy = (data_dir / "linekeeper.db").read_bytes()
    await incidents.open_incident("power", "ups", "mains is away")
    with locked(data_dir), pytest.raises(StorageError):
        await incidents.note_incident("power", "ups", "speech was switched off")
    (data_dir / "linekeeper.db").write_bytes(copy)
    await incidents.open_incident("temperature", "processor", "too hot")
    assert kinds(records)[:2] == ["contact", "temperature"]


async def test_weeks_of_incidents_leave_little_in_memory(incidents: IncidentStore) -> None:
    incidents._writer._done = deque(maxlen=20)
    for _ in range(20):
        await incidents.open_incident("power", "ups", "mains is away")
        await incidents.close_incident("power", "ups")
    assert len(incidents._writer.done_so_far()) == 20


async def test_what_was_told_is_in_the_database_that_was_put_in_place_as_it_was_in_the_one_before(
    incidents: IncidentStore, data_dir: Path, records: OpenRecords
) -> None:
    await incidents.open_incident("power", "ups", "mains is away")
    await incidents.close_incident("power", "ups")
    copy = (data_dir / "linekeeper.db").read_bytes()
    for number in range(2):
        await incidents.open_incident("contact", "door", f"the door is open: {number}")
        await incidents.note_incident("contact", "door", f"looked at {number}")
        await incidents.effect_of_incident("contact", "door", f"cost {number}")
        await incidents.close_incident("contact", "door")
    await incidents.open_incident("contact", "fire", "smoke")
    with records() as read:
        before = read.incidents()
    (data_dir / "restored").write_bytes(copy)
    (data_dir / "restored").rename(data_dir / "linekeeper.db")
    await incidents.note_incident("power", "ups", "later")
    with records() as read:
        after = read.incidents()
    assert [action["action"] for action in after[0]["actions"]] == ["later"]
    for known, again in zip(before[1:], after[1:], strict=True):
        assert {**again, "number": known["number"]} == known


async def test_nothing_is_written_into_what_is_about_to_be_put_aside(
    incidents: IncidentStore, data_dir: Path, records: OpenRecords, make_store: Callable[..., Store]
) -> None:
    """The next start would put it aside, and what was told with it."""
    await incidents.open_incident("power", "ups", "mains is away")
    ready = ready_folder(data_dir)
    (ready / "linekeeper.db").write_bytes((data_dir / "linekeeper.db").read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("firmware.storage.swap._carry_out", _cut)
        with pytest.raises(StorageError):
            replace_content(data_dir, ready, [Move("linekeeper.db", "aside.db")])
    await incidents.open_incident("contact", "door", "the door is open")
    assert (data_dir / "aside.db").is_file()
    assert kinds(records) == ["power", "contact"]


async def test_a_change_that_it_cannot_finish_keeps_nobody_from_taking_calls(
    incidents: IncidentStore, data_dir: Path, make_store: Callable[..., Store]
) -> None:
    data_dir.mkdir()
    (data_dir / "replacing.json").write_text("nonsense")
    with pytest.raises(StorageError):
        await incidents.open_incident("power", "ups", "mains is away")
    (data_dir / "replacing.json").unlink()
    store = make_store()
    await store.open()
    await store.close()
