"""Incidents of services that do not own the database: beside the owner, without it, and when nothing works."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
import subprocess
import sys
import time
from collections import deque
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
from firmware.storage.swap import Move, ready_folder, replace_content

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


def _cut(*_: Any) -> None:
    raise OSError(errno.EIO, "the power fails here")


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

    async def test_a_database_that_is_away_for_a_moment_is_not_made_anew_under_its_owner(
        self, incidents: IncidentStore, data_dir: Path, store: Store, records: OpenRecords
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
        self, incidents: IncidentStore, data_dir: Path, records: OpenRecords
    ) -> None:
        await incidents.open_incident("power", "ups", "mains is away")
        copy = (data_dir / "linekeeper.db").read_bytes()
        await incidents.open_incident("contact", "door", "the door is open")
        (data_dir / "restored").write_bytes(copy)
        (data_dir / "restored").rename(data_dir / "linekeeper.db")
        await incidents.open_incident("temperature", "processor", "too hot")
        assert kinds(records) == ["power", "contact", "temperature"]

    async def test_a_database_replaced_in_the_middle_of_a_write_is_written_to_again(
        self, incidents: IncidentStore, data_dir: Path, records: OpenRecords, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await incidents.open_incident("power", "ups", "mains is away")
        copy = (data_dir / "linekeeper.db").read_bytes()
        (data_dir / "restored").write_bytes(copy)
        whole = incidents._brief._transaction

        def replaced(work: Callable[..., Any]) -> Any:
            done = whole(work)
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
        self, incidents: IncidentStore, data_dir: Path, records: OpenRecords, short_patience: None
    ) -> None:
        await incidents.open_incident("contact", "door", "the door is open")
        copy = (data_dir / "linekeeper.db").read_bytes()
        await incidents.open_incident("power", "ups", "mains is away")
        with locked(data_dir), pytest.raises(StorageError):
            await incidents.note_incident("power", "ups", "speech was switched off")
        (data_dir / "linekeeper.db").write_bytes(copy)
        await incidents.open_incident("temperature", "processor", "too hot")
        assert kinds(records)[:2] == ["contact", "temperature"]

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

    async def test_weeks_of_incidents_leave_little_in_memory(self, incidents: IncidentStore) -> None:
        incidents._writer._done = deque(maxlen=20)
        for _ in range(20):
            await incidents.open_incident("power", "ups", "mains is away")
            await incidents.close_incident("power", "ups")
        assert len(incidents._writer.done_so_far()) == 20

    async def test_what_was_told_is_in_the_database_that_was_put_in_place_as_it_was_in_the_one_before(
        self, incidents: IncidentStore, data_dir: Path, records: OpenRecords
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
        self, incidents: IncidentStore, data_dir: Path, records: OpenRecords, make_store: Callable[..., Store]
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

    async def test_a_database_that_it_makes_is_the_whole_groups(self, incidents: IncidentStore, data_dir: Path) -> None:
        before = os.umask(0o007)
        try:
            await incidents.open_incident("power", "ups", "mains is away")
        finally:
            os.umask(before)
        assert (data_dir / "linekeeper.db").stat().st_mode & 0o777 == 0o660

    async def test_a_change_that_it_cannot_finish_keeps_nobody_from_taking_calls(
        self, incidents: IncidentStore, data_dir: Path, make_store: Callable[..., Store]
    ) -> None:
        data_dir.mkdir()
        (data_dir / "replacing.json").write_text("nonsense")
        with pytest.raises(StorageError):
            await incidents.open_incident("power", "ups", "mains is away")
        (data_dir / "replacing.json").unlink()
        store = make_store()
        await store.open()
        await store.close()

    async def test_writes_that_were_given_up_do_not_pile_up_behind_a_hung_disk(
        self, incidents: IncidentStore, data_dir: Path, records: OpenRecords, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await incidents.open_incident("power", "ups", "mains is away")
        monkeypatch.setattr("firmware.storage.incident_store._LONGEST_WRITE_SECONDS", 0.02)
        with locked(data_dir):
            for number in range(30):
                with pytest.raises(StorageError, match="held by another program"):
                    await incidents.note_incident("power", "ups", f"try {number}")
            assert incidents._brief._thread._work_queue.qsize() < 10
        monkeypatch.setattr("firmware.storage.incident_store._LONGEST_WRITE_SECONDS", 10.0)
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
        monkeypatch.setattr("firmware.storage.incident_store._LONGEST_WRITE_SECONDS", 0.5)
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
            patch.setattr("firmware.storage.incident_store._LONGEST_WRITE_SECONDS", 0.2)
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
