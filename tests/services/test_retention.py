from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from firmware.clock import SystemClock
from firmware.durable_files import DiskRoom
from firmware.errors import StorageError
from firmware.events import CallEnd, CallerId, RecordingEnd
from firmware.pcm import SampleFormat
from firmware.ports import Answer, Outcome, Route, Take
from firmware.retention_settings import RetentionSettings
from firmware.services.retention import Retention
from firmware.storage.backup import make_backup
from firmware.storage.outbox import DiskOutbox
from firmware.storage.queries import Records
from firmware.storage.restore import restore_backup
from firmware.storage.stamps import Stamp
from firmware.storage.store import Store

KINDS = frozenset({"call", "message", "recording"})
COLLECTOR = Route("collector", KINDS)


class Disk:
    """A disk of 100 blocks whose recordings take one each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.others = 0

    def room(self, _: Path) -> DiskRoom:
        return DiskRoom(100 - self.others - len(self.files()), 100)

    def files(self) -> list[str]:
        return sorted(file.name for file in (self.folder / "recordings").iterdir())


class SettableClock(SystemClock):
    ahead = timedelta(0)
    right = True

    def now(self) -> Any:
        return super().now() + self.ahead

    def trusted(self) -> bool:
        return self.right


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path)


@pytest.fixture
async def store(tmp_path: Path, clock: SettableClock, disk: Disk) -> AsyncIterator[Store]:
    opened = Store(tmp_path, clock, keep_free_megabytes=0, disk_room=disk.room)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def outbox(tmp_path: Path, clock: SettableClock) -> AsyncIterator[DiskOutbox]:
    made = DiskOutbox(tmp_path, clock)
    await made.use_routes([COLLECTOR])
    yield made
    made.close()


@pytest.fixture
def looking(store: Store, clock: SettableClock) -> Callable[..., Retention]:
    return lambda **settings: Retention(store, RetentionSettings(**settings), clock)


async def leave_messages(store: Store, count: int) -> list[str]:
    kept = []
    for _ in range(count):
        call = await store.call_offered("front", CallerId("13800138000"))
        recording = await store.start_recording(call, SampleFormat.U8)
        recording.write(bytes([140]) * 8000)
        stored = await recording.finish(Take(RecordingEnd.KEY, 8000, 8000, voiced=True))
        kept.append((await store.keep_message(call, stored, "zh")).message_id)
        await store.call_ended(call, CallEnd.COMPLETED, None, "zh", ["message"])
    return kept


async def deliver(outbox: DiskOutbox, kinds: frozenset[str] = KINDS) -> None:
    entries = await outbox.take("collector", 200)
    await outbox.settle(
        "collector", [Answer(entry.seq, entry.version, Outcome.STORED) for entry in entries if entry.kind in kinds]
    )


def incidents(folder: Path) -> list[tuple[str, bool]]:
    with Records(folder, ZoneInfo("UTC")) as records:
        return [
            (row["summary"], row["ended_at"] is None) for row in records.incidents() if row["kind"] == "disk_filling"
        ]


async def test_the_oldest_delivered_audio_goes_until_there_is_room(
    store: Store, outbox: DiskOutbox, disk: Disk, looking: Callable[..., Retention], tmp_path: Path
) -> None:
    await leave_messages(store, 25)
    await deliver(outbox)
    later = await leave_messages(store, 5)
    disk.others = 60
    before = disk.files()
    retention = looking()
    await retention.look()
    assert disk.files() == before[20:]
    ((summary, is_open),) = incidents(tmp_path)
    assert (summary.startswith("the disk is filling; the oldest audio"), is_open) == (True, True)
    await retention.look()
    assert disk.files() == before[20:]
    assert [is_open for _, is_open in incidents(tmp_path)] == [False]
    assert len(await store.message_audio(later[0])) == 16_000


async def test_nothing_undelivered_is_removed_however_full_the_disk_is(
    store: Store, outbox: DiskOutbox, disk: Disk, looking: Callable[..., Retention], tmp_path: Path
) -> None:
    await leave_messages(store, 3)
    disk.others = 97
    retention = looking(delivered_audio_days=0)
    await retention.look()
    await deliver(outbox, frozenset({"call", "message"}))
    await retention.look()
    assert len(disk.files()) == 3
    assert incidents(tmp_path) == [
        ("the disk is filling, and no audio on it was delivered elsewhere; free some space, or see to delivery", True)
    ]
    disk.others = 0
    await retention.look()
    assert [is_open for _, is_open in incidents(tmp_path)] == [False]


async def test_audio_that_another_route_waits_for_stays(
    store: Store, outbox: DiskOutbox, disk: Disk, looking: Callable[..., Retention]
) -> None:
    retention = looking(delivered_audio_days=0)
    await outbox.use_routes([COLLECTOR, Route("email", frozenset({"message"}), changes=False)])
    await leave_messages(store, 1)
    await deliver(outbox)
    await retention.look()
    assert len(disk.files()) == 1
    (entry,) = await outbox.take("email", 200)
    await outbox.settle("email", [Answer(entry.seq, entry.version, Outcome.STORED)])
    await outbox.use_routes([])
    await retention.look()
    assert len(disk.files()) == 1
    await outbox.use_routes([Route("folder", KINDS)])
    await retention.look()
    assert len(disk.files()) == 1
    for entry in await outbox.take("folder", 200):
        await outbox.settle("folder", [Answer(entry.seq, entry.version, Outcome.STORED)])
    await retention.look()
    assert disk.files() == []


async def test_delivered_audio_goes_by_age_while_the_clock_is_right(
    store: Store, outbox: DiskOutbox, disk: Disk, looking: Callable[..., Retention], clock: SettableClock
) -> None:
    retention = looking(delivered_audio_days=30)
    await leave_messages(store, 1)
    await deliver(outbox)
    await retention.look()
    assert len(disk.files()) == 1
    clock.ahead, clock.right = timedelta(days=31), False
    await retention.look()
    assert len(disk.files()) == 1
    clock.right = True
    await retention.look()
    assert disk.files() == []


async def test_a_released_recording_is_no_lost_one(
    store: Store,
    outbox: DiskOutbox,
    disk: Disk,
    looking: Callable[..., Retention],
    tmp_path: Path,
    clock: SettableClock,
) -> None:
    (message_id,) = await leave_messages(store, 1)
    await deliver(outbox)
    retention = looking(delivered_audio_days=0)
    clock.ahead = timedelta(seconds=1)
    await retention.look()
    assert disk.files() == []
    assert (await outbox.state("collector")).queued == 0
    with (
        Records(tmp_path, ZoneInfo("UTC")) as records,
        pytest.raises(StorageError, match=r"was delivered, and removed here on \d{4}-"),
    ):
        records.export_message(message_id, tmp_path / "out.wav")
    assert await store.next_untranscribed(["zh"]) is None
    manifest = make_backup(tmp_path, tmp_path / "one.backup", Stamp.now(clock))
    assert manifest.incomplete == ()
    await store.close()
    restore_backup(tmp_path / "one.backup", tmp_path, Stamp.now(clock))
    again = Store(tmp_path, clock, keep_free_megabytes=0)
    summary = await again.open()
    assert (summary.missing_files, summary.messages) == ([], [])
    await outbox.use_routes([COLLECTOR, Route("new", KINDS)])
    recording = next(entry for entry in await outbox.take("new", 200) if entry.kind == "recording")
    assert recording.body is not None
    assert (recording.blob, recording.body["audio"]) == (None, "released")
    await again.close()


@pytest.mark.parametrize(("free", "filling"), [(9, True), (12, False)])
async def test_the_mark_may_be_told_as_room(
    free: int, filling: bool, store: Store, looking: Callable[..., Retention], tmp_path: Path
) -> None:
    store._disk_room = lambda _: DiskRoom(free * 1_000_000, 100_000_000)
    await looking(disk_high_free_megabytes=10).look()
    assert bool(incidents(tmp_path)) == filling


async def test_what_a_clock_that_was_not_set_made_years_old_is_kept_as_long_as_the_rest(
    store: Store, outbox: DiskOutbox, disk: Disk, looking: Callable[..., Retention], clock: SettableClock
) -> None:
    clock.right, clock.ahead = False, timedelta(days=-365 * 50)
    await leave_messages(store, 1)
    clock.right, clock.ahead = True, timedelta(0)
    await deliver(outbox)
    retention = looking(delivered_audio_days=30)
    await retention.look()
    assert len(disk.files()) == 1
    clock.ahead = timedelta(days=31)
    await retention.look()
    assert disk.files() == []
