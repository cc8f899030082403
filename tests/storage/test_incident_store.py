"""Incidents of services that do not own the database: beside the owner, without it, and when nothing works."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from firmware.errors import RecordNotFound, StorageError
from firmware.events import CallerId
from firmware.ports import Clock, IncidentLog
from firmware.storage.incident_store import IncidentStore
from firmware.storage.store import Store

OpenRecords = Callable[[], Any]
RELEASED = sorted((Path(__file__).parent / "released").glob("version_*.sql"))


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


@pytest.fixture(params=["of calls", "of others"])
async def log(request: pytest.FixtureRequest, data_dir: Path, clock: Clock) -> AsyncIterator[IncidentLog]:
    """Both kinds of `ports.IncidentLog`, for what holds for both."""
    store = Store(data_dir, clock, keep_free_megabytes=0)
    await store.open()
    if request.param == "of calls":
        yield store
    else:
        others = IncidentStore(data_dir, clock)
        yield others
        await others.close()
    await store.close()


async def test_all_of_an_incident_is_kept(log: IncidentLog, records: OpenRecords) -> None:
    await log.open_incident("power", "ups", "mains is away")
    await log.open_incident("power", "ups", "mains is away still")
    await log.note_incident("power", "ups", "speech was switched off")
    await log.tell_incident("power", "ups", "Li Wei", "by telephone", "acknowledged")
    await log.effect_of_incident("power", "ups", "nothing yet")
    await log.effect_of_incident("power", "ups", "one line rested")
    await log.close_incident("power", "ups")
    with records() as read:
        (incident,) = read.incidents()
    assert incident["ended_at"] > incident["started_at"]
    assert (incident["summary"], incident["effect"]) == ("mains is away", "one line rested")
    assert [action["action"] for action in incident["actions"]] == ["speech was switched off"]
    (notice,) = incident["notices"]
    assert (notice["who"], notice["how"], notice["result"]) == ("Li Wei", "by telephone", "acknowledged")
    assert notice["at"].startswith("2026-03-01T16:00:")


async def test_what_is_told_of_an_unknown_incident_is_refused_and_not_owed(
    log: IncidentLog, records: OpenRecords
) -> None:
    for write in (
        log.note_incident("power", "ups", "x"),
        log.effect_of_incident("power", "ups", "x"),
        log.tell_incident("power", "ups", "x", "x", "x"),
    ):
        with pytest.raises(RecordNotFound):
            await write
    await log.close_incident("power", "ups")
    await log.open_incident("power", "ups", "x")
    with records() as read:
        assert read.incidents()[0]["actions"] == []


async def test_an_incident_that_lasts_for_weeks_stays_readable(log: IncidentLog, records: OpenRecords) -> None:
    await log.open_incident("power", "ups", "x")
    for number in range(230):
        await log.tell_incident("power", "ups", f"{number}", "by e-mail", "sent")
    with records() as read:
        (incident,) = read.incidents()
    assert [incident["notices"][at]["who"] for at in (0, 19, -1)] == ["0", "19", "229"]
    assert len(incident["notices"]) == 200


async def test_what_a_locked_database_refused_is_written_with_its_own_time(
    short_patience: None, log: IncidentLog, data_dir: Path, records: OpenRecords
) -> None:
    with locked(data_dir):
        for write in (
            log.open_incident("power", "ups", "mains is away"),
            log.note_incident("power", "ups", "speech was switched off"),
            log.close_incident("power", "ups"),
        ):
            with pytest.raises(StorageError, match="locked"):
                await write
    await log.open_incident("contact", "door", "the door is open")
    with records() as read:
        power, contact, database = read.incidents()
    assert (power["kind"], contact["kind"], database["kind"]) == ("power", "contact", "database")
    assert power["started_at"] < power["actions"][0]["at"] < power["ended_at"] < contact["started_at"]


class TestAlone:
    async def test_where_nobody_was_before_it_makes_the_database(
        self, incidents: IncidentStore, records: OpenRecords, make_store: Callable[..., Store]
    ) -> None:
        await incidents.open_incident("power", "ups", "mains is away")
        assert kinds(records) == ["power"]
        store = make_store()
        await store.open()
        await store.call_offered("front", CallerId())
        await incidents.close_incident("power", "ups")
        await store.close()
        with records() as read:
            assert (len(read.calls()), len(read.incidents())) == (1, 1)

    async def test_the_database_that_it_makes_is_its_groups_to_write(
        self, incidents: IncidentStore, data_dir: Path
    ) -> None:
        umask = os.umask(0o007)
        try:
            await incidents.open_incident("power", "ups", "mains is away")
        finally:
            os.umask(umask)
        assert stat.S_IMODE((data_dir / "linekeeper.db").stat().st_mode) == 0o660

    @pytest.mark.parametrize("script", RELEASED, ids=lambda path: path.stem)
    async def test_a_database_of_an_older_release_is_brought_up_to_date(
        self, incidents: IncidentStore, data_dir: Path, records: OpenRecords, script: Path
    ) -> None:
        data_dir.mkdir()
        connection = sqlite3.connect(data_dir / "linekeeper.db")
        connection.executescript(script.read_text(encoding="utf-8"))
        connection.close()
        await incidents.open_incident("power", "ups", "mains is away")
        assert kinds(records) == ["line_fault", "power"]

    @pytest.mark.parametrize("content", [b"no database" * 500, b"SQLite format 3\x00" + bytes(5000)])
    async def test_a_damaged_database_is_told_and_what_was_refused_is_kept_for_the_next_one(
        self, incidents: IncidentStore, data_dir: Path, records: OpenRecords, content: bytes
    ) -> None:
        data_dir.mkdir()
        file = data_dir / "linekeeper.db"
        file.write_bytes(content)
        with pytest.raises(StorageError):
            await incidents.open_incident("power", "ups", "mains is away")
        assert incidents.trouble is not None
        assert file.read_bytes() == content
        file.rename(data_dir / "linekeeper.db.corrupt")
        await incidents.retry()
        assert "power" in kinds(records)
        assert incidents.trouble is None

    async def test_a_database_that_it_makes_is_the_whole_groups(self, incidents: IncidentStore, data_dir: Path) -> None:
        before = os.umask(0o007)
        try:
            await incidents.open_incident("power", "ups", "mains is away")
        finally:
            os.umask(before)
        assert (data_dir / "linekeeper.db").stat().st_mode & 0o777 == 0o660

    async def test_writes_that_were_given_up_do_not_pile_up_behind_a_hung_disk(
        self, incidents: IncidentStore, data_dir: Path, records: OpenRecords, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await incidents.open_incident("power", "ups", "mains is away")
        monkeypatch.setattr("firmware.storage.brief_database._LONGEST_WRITE_SECONDS", 0.02)
        with locked(data_dir):
            for number in range(30):
                with pytest.raises(StorageError, match="held by another program"):
                    await incidents.note_incident("power", "ups", f"try {number}")
            assert incidents._brief._thread._work_queue.qsize() < 10
        monkeypatch.setattr("firmware.storage.brief_database._LONGEST_WRITE_SECONDS", 10.0)
        while incidents._writer.owed:
            with suppress(StorageError):
                await incidents.retry()
        with records() as read:
            assert len(read.incidents()[0]["actions"]) == 30

    async def test_a_folder_that_cannot_be_made_is_told_at_once(self, tmp_path: Path, clock: Clock) -> None:
        (tmp_path / "data").write_text("a file, and no folder")
        incidents = IncidentStore(tmp_path / "data", clock)
        with pytest.raises(StorageError):
            await incidents.open_incident("power", "ups", "mains is away")
        await incidents.close()

    async def test_a_write_never_takes_longer_than_the_busy_time_out(
        self, incidents: IncidentStore, data_dir: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await incidents.open_incident("power", "ups", "mains is away")
        monkeypatch.setattr("firmware.storage.brief_database._LONGEST_WRITE_SECONDS", 0.5)
        began = time.monotonic()
        with locked(data_dir):
            for _ in range(2):
                with pytest.raises(StorageError, match="held by another program"):
                    await incidents.note_incident("power", "ups", "speech was switched off")
            assert time.monotonic() - began < 3.0

    async def test_a_write_that_came_late_and_is_done_again_is_there_once(
        self, incidents: IncidentStore, data_dir: Path, records: OpenRecords, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await incidents.open_incident("power", "ups", "mains is away")
        with monkeypatch.context() as patch:
            patch.setattr("firmware.storage.brief_database._LONGEST_WRITE_SECONDS", 0.2)
            with locked(data_dir):
                with pytest.raises(StorageError):
                    await incidents.note_incident("power", "ups", "speech was switched off")
                with pytest.raises(StorageError):
                    await incidents.tell_incident("power", "ups", "Li Wei", "by telephone", "acknowledged")
        await incidents.retry()
        with records() as read:
            power = read.incidents()[0]
        assert (len(power["actions"]), len(power["notices"])) == (1, 1)

    async def test_closing_tries_once_more_and_never_raises(
        self, incidents: IncidentStore, data_dir: Path, records: OpenRecords, short_patience: None
    ) -> None:
        await incidents.open_incident("contact", "door", "the door is open")
        with locked(data_dir), pytest.raises(StorageError):
            await incidents.open_incident("power", "ups", "mains is away")
        await incidents.close()
        await incidents.close()
        assert "power" in kinds(records)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
async def test_a_disk_that_takes_nothing_is_told_and_written_to_once_it_does(
    tmp_path: Path, clock: Clock, records: OpenRecords, data_dir: Path
) -> None:
    image = tmp_path / "image"
    image.write_bytes(b"")
    os.truncate(image, 16 << 20)
    data_dir.mkdir()
    mount = f"mount -o loop {image} {data_dir}"
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    subprocess.run(mount.split(), check=True)
    try:
        incidents = IncidentStore(data_dir, clock)
        await incidents.open_incident("contact", "door", "the door is open")
        subprocess.run(["mount", "-o", "remount,ro", data_dir], check=True)
        began = time.monotonic()
        with pytest.raises(StorageError):
            await incidents.open_incident("power", "ups", "mains is away")
        assert time.monotonic() - began < 5.0
        subprocess.run(["mount", "-o", "remount,rw", data_dir], check=True)
        await incidents.close_incident("contact", "door")
        assert kinds(records) == ["contact", "power", "database"]
        await incidents.close()
    finally:
        subprocess.run(["umount", data_dir], check=True)


_WRITER = """
import asyncio, sys
from pathlib import Path
from firmware.clock import SystemClock
from firmware.storage.incident_store import IncidentStore

async def main():
    incidents = IncidentStore(Path(sys.argv[1]), SystemClock())
    for number in range(40):
        await incidents.open_incident("power", f"ups{number}", "mains is away")
    await incidents.close()

asyncio.run(main())
"""


async def test_another_process_writes_while_calls_does_and_neither_loses_anything(
    store: Store, data_dir: Path, records: OpenRecords
) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", _WRITER, str(data_dir))
    written = 0
    while process.returncode is None:
        await store.call_offered("front", CallerId())
        written += 1
        await asyncio.sleep(0)
    assert process.returncode == 0
    with records() as read:
        assert (len(read.calls()), len(read.incidents())) == (written, 40)
