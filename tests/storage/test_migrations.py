from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from peewee import OperationalError

from firmware.errors import StorageError
from firmware.events import CallerId, RecordingEnd
from firmware.pcm import SampleFormat
from firmware.ports import Take
from firmware.storage.database import connect, writable
from firmware.storage.migrations import CURRENT_VERSION, MIGRATIONS, migrate, run_sql, version_of
from firmware.storage.queries import Records
from firmware.storage.store import Store

RELEASED = sorted((Path(__file__).parent / "released").glob("version_*.sql"))


def load(data_dir: Path, script: Path) -> None:
    (data_dir / "recordings").mkdir(parents=True)
    connection = sqlite3.connect(data_dir / "linekeeper.db")
    connection.executescript(script.read_text(encoding="utf-8"))
    connection.close()


def test_every_released_version_has_a_fixture() -> None:
    assert [path.stem for path in RELEASED] == [f"version_{number + 1}" for number in range(CURRENT_VERSION)]


@pytest.mark.parametrize("script", RELEASED, ids=lambda path: path.stem)
async def test_records_of_a_released_version_are_all_there(
    data_dir: Path, script: Path, make_store: Callable[..., Store], records: Callable[[], Records]
) -> None:
    load(data_dir, script)
    store = make_store()
    summary = await store.open()
    assert summary.missing_files == [
        "01a1ee5d-7a10-7000-8000-000000000002.01a1ee5d-7a10-7000-8000-000000000001.message.ulaw.wav"
    ]
    assert await store.remembered_language("13800138000") == "zh"
    with records() as read:
        (call,), (message,), (callback,) = read.calls(), read.messages(), read.callbacks()
        assert (call["caller_name"], call["path"]) == ("王 Wang", ["welcome", "menu", "message"])
        assert (message["number"], message["duration_seconds"], message["urgent"]) == (41, 2.0, True)
        assert (callback["number"], callback["phone"], callback["attempts"]) == (7, "13800138000", 1)
        assert read.incidents()[0]["summary"] == "the modem on line front is gone"
    await store.close()


@pytest.mark.parametrize("script", RELEASED, ids=lambda path: path.stem)
async def test_numbers_go_on_where_the_old_release_stopped(
    data_dir: Path, script: Path, make_store: Callable[..., Store]
) -> None:
    load(data_dir, script)
    store = make_store()
    await store.open()
    call_id = await store.call_offered("front", CallerId())
    recording = await store.start_recording(call_id, SampleFormat.U8)
    stored = await recording.finish(Take(RecordingEnd.KEY, 0, 0, voiced=True))
    # Number 42 had been given and deleted by the old release.
    assert (await store.keep_message(call_id, stored, "zh")).number == 43
    await store.close()


def test_a_new_database_has_the_newest_version(tmp_path: Path) -> None:
    db = writable(tmp_path / "new.db")
    connect(db)
    assert migrate(db) == 0
    assert version_of(db) == CURRENT_VERSION
    assert migrate(db) == CURRENT_VERSION
    db.close()


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    db = writable(tmp_path / "old.db")
    connect(db)
    migrate(db)
    broken = (*MIGRATIONS, ("CREATE TABLE extra (id TEXT)", "UPDATE nowhere SET id = 1"))
    with pytest.raises(OperationalError):
        migrate(db, broken)
    assert version_of(db) == CURRENT_VERSION
    assert "extra" not in db.get_tables()
    migrate(db, (*MIGRATIONS, ("CREATE TABLE extra (id TEXT)",)))
    assert version_of(db) == CURRENT_VERSION + 1
    db.close()


async def test_a_database_of_a_newer_release_is_refused_and_left_alone(
    data_dir: Path, make_store: Callable[..., Store]
) -> None:
    data_dir.mkdir()
    file = data_dir / "linekeeper.db"
    db = writable(file)
    connect(db)
    run_sql(db, "CREATE TABLE future (id TEXT)")
    run_sql(db, "PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StorageError, match=r"newer Linekeeper \(format 99; this one knows"):
        await make_store().open()
    with pytest.raises(StorageError, match="newer Linekeeper"):
        Records(data_dir, ZoneInfo("UTC"))
    connect(db)
    assert db.get_tables() == ["future"]
    db.close()


def test_every_connection_is_durable_and_checks_references(tmp_path: Path) -> None:
    db = writable(tmp_path / "new.db")
    connect(db)
    settings = {name: run_sql(db, f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")}
    assert settings == {"journal_mode": "wal", "synchronous": 2}
    assert run_sql(db, "PRAGMA foreign_keys").fetchone()[0] == 1
    assert run_sql(db, "PRAGMA busy_timeout").fetchone()[0] == 10_000
    db.close()
