"""A damaged database costs as little as can be: a sound one takes its place, and nothing that was said is lost."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from firmware.errors import DatabaseDamaged, RecordNotFound
from firmware.events import CallEnd, CallerId
from firmware.pcm import SampleFormat
from firmware.ports import CallbackRequest
from firmware.storage.backup import make_backup
from firmware.storage.backup_folder import add_backup
from firmware.storage.erasure import erase_caller
from firmware.storage.incident_store import IncidentStore
from firmware.storage.queries import Records
from firmware.storage.stamps import Stamp
from firmware.storage.store import Store

NOW = Stamp("2026-03-01T08:00:00.000+00:00", trusted=True)
CALLER = CallerId("13800138000", "Wang")
SECOND = 8000
Spoken = Callable[..., bytes]
Leave = Callable[..., Any]
MakeStore = Callable[..., Store]
OpenRecords = Callable[[], Records]


def damage(data_dir: Path, keep_bytes: int = 0) -> None:
    """Nonsense in the file, in its place, as a failing card does it."""
    file = data_dir / "linekeeper.db"
    with sqlite3.connect(file) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    size = file.stat().st_size
    with file.open("r+b") as content:
        content.seek(keep_bytes)
        content.write(b"\xa5nonsense" * (size // 9))


async def a_call(store: Store, leave: Leave, data: bytes, phone: str = "13800138000") -> int:
    call = await store.call_offered("front", CALLER)
    await store.call_answered(call, CALLER)
    kept = await store.keep_message(call, await leave(store, call, data), "zh")
    await store.mark_urgent(kept.message_id)
    await store.keep_callback(call, CallbackRequest(phone, "morning"), "zh")
    await store.call_ended(call, CallEnd.COMPLETED, None, "zh", ["message"])
    return int(kept.number)


def the_incident(read: Records) -> dict[str, Any]:
    (incident,) = [incident for incident in read.incidents() if incident["kind"] == "database"]
    return incident


async def test_at_the_start_the_newest_good_backup_takes_its_place_and_recordings_stay(
    make_store: MakeStore, leave: Leave, spoken: Spoken, data_dir: Path, tmp_path: Path, records: OpenRecords
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    store = make_store()
    await store.open()
    first = await a_call(store, leave, spoken(SECOND, 1))
    add_backup(data_dir, stick, 5, NOW, "20260301-080000")
    later = await a_call(store, leave, spoken(SECOND, 2))
    await store.close()
    damage(data_dir)

    store = make_store(backup_folders=[stick])
    summary = await store.open()
    assert (len(summary.messages), summary.missing_files) == (1, [])
    with records() as read:
        numbers = {message["number"]: message["urgent"] for message in read.messages()}
        assert numbers[first] is True
        assert max(numbers) > 1000 + first
        assert min(set(numbers) - {first}) > later
        told = the_incident(read)["summary"]
    assert "linekeeper.db.corrupt-20260301-" in told
    assert "the backup of 2026-03-01T08:00:00.000+00:00" in told
    assert the_incident_is_open(records)
    assert len(list(data_dir.glob("linekeeper.db.corrupt-*"))) >= 1
    assert await a_call(store, leave, spoken(SECOND, 3)) not in numbers
    await store.close()

    store = make_store()
    await store.open()
    assert not the_incident_is_open(records)
    await store.close()


def the_incident_is_open(records: OpenRecords) -> bool:
    with records() as read:
        return the_incident(read)["ended_at"] is None


async def test_without_a_backup_every_recording_becomes_a_message(
    make_store: MakeStore, leave: Leave, spoken: Spoken, data_dir: Path, records: OpenRecords
) -> None:
    store = make_store()
    await store.open()
    for seed in range(3):
        await a_call(store, leave, spoken(SECOND, seed), f"1380000000{seed}")
    await store.close()
    damage(data_dir)
    store = make_store()
    summary = await store.open()
    assert len(summary.messages) == 3
    with records() as read:
        assert "an empty one took its place" in the_incident(read)["summary"]
    await store.close()


async def test_what_can_still_be_read_is_saved(
    make_store: MakeStore, leave: Leave, spoken: Spoken, data_dir: Path, records: OpenRecords
) -> None:
    store = make_store()
    await store.open()
    for seed in range(200):
        call = await store.call_offered("front", CALLER)
        await store.keep_callback(call, CallbackRequest(f"1380000{seed:04d}", "morning"), "zh")
    make_backup(data_dir, data_dir.parent / "unused", NOW)
    await store.close()
    size = (data_dir / "linekeeper.db").stat().st_size
    damage(data_dir, keep_bytes=size - 4096)
    store = make_store()
    await store.open()
    with records() as read:
        assert len(read.callbacks()) > 100
        assert the_incident(read)["summary"]
    await store.close()


async def test_while_it_runs_nothing_acknowledged_in_this_run_is_lost_nor_is_a_call_that_goes_on(
    make_store: MakeStore, leave: Leave, spoken: Spoken, data_dir: Path, records: OpenRecords
) -> None:
    store = make_store()
    await store.open()
    told = [await a_call(store, leave, spoken(SECOND, seed), f"1380000000{seed}") for seed in range(3)]
    await store.close()
    store = make_store()
    await store.open()
    told.append(await a_call(store, leave, spoken(SECOND, 3), "13800000003"))
    call = await store.call_offered("front", CALLER)
    await store.call_answered(call, CALLER)
    growing = await store.start_recording(call, SampleFormat.U8)
    growing.write(spoken(SECOND, 4))
    damage(data_dir)
    # A read of a page that was never read meets the damage; it waits for the sound database and then finds it.
    with pytest.raises(RecordNotFound):
        await store.message_audio(store.new_call_id())
    growing.write(spoken(SECOND, 5))
    kept = await store.keep_message(call, await finish(growing), "zh")
    await store.call_ended(call, CallEnd.COMPLETED, None, "zh", ["message"])
    assert len(await store.message_audio(kept.message_id)) == 4 * SECOND
    assert kept.number not in told
    with records() as read:
        messages = {message["number"]: message for message in read.messages()}
        assert len(messages) == 5
        assert (messages[told[3]]["urgent"], messages[told[3]]["caller_number"]) == (True, "13800138000")
        assert messages[kept.number]["interrupted"] is False
        (last,) = [row for row in read.calls() if row["id"] == call]
        assert (last["line"], last["caller_number"], last["end_reason"]) == ("front", "13800138000", "completed")
        assert "13800000003" in {row["phone"] for row in read.callbacks()}
        assert the_incident(read)["summary"]
    await store.close()


async def finish(recording: Any) -> Any:
    from firmware.events import RecordingEnd
    from firmware.ports import Take

    return await recording.finish(Take(RecordingEnd.KEY, 2 * SECOND, 2 * SECOND, voiced=True))


async def test_a_small_backup_beside_the_records_is_used_too(
    make_store: MakeStore, leave: Leave, spoken: Spoken, data_dir: Path, records: OpenRecords
) -> None:
    store = make_store()
    await store.open()
    await a_call(store, leave, spoken(SECOND, 1))
    for day in range(1, 5):
        await store.keep_snapshot(f"2026030{day}-080000")
    assert len(list((data_dir / "snapshots").iterdir())) == 2
    await store.close()
    damage(data_dir)
    store = make_store()
    assert (await store.open()).messages == []
    with records() as read:
        assert read.messages()[0]["urgent"] is True
    await store.close()


async def test_what_was_erased_does_not_come_back_with_what_this_run_remembers(
    make_store: MakeStore, leave: Leave, spoken: Spoken, data_dir: Path, records: OpenRecords, clock: Any
) -> None:
    store = make_store()
    await store.open()
    await store.close()
    store = make_store()
    await store.open()
    await a_call(store, leave, spoken(SECOND, 1))
    clock.moment += timedelta(hours=1)
    erase_caller(data_dir, "13800138000", clock, "CN")
    damage(data_dir)
    with pytest.raises(RecordNotFound):
        await store.message_audio(store.new_call_id())
    with records() as read:
        assert the_incident(read)["summary"]
        assert (read.messages(), read.callbacks()) == ([], [])
        assert [row["caller_number"] for row in read.calls()] in ([], [None])
    await store.close()
    told = [file.name for file in data_dir.rglob("*") if file.is_file() and b"13800138000" in file.read_bytes()]
    assert told == []


async def test_the_other_services_can_write_into_a_replaced_database_at_once(
    make_store: MakeStore, data_dir: Path
) -> None:
    store = make_store()
    await store.open()
    await store.close()
    data_dir.chmod(0o2770)
    damage(data_dir)
    umask = os.umask(0o007)
    try:
        store = make_store()
        await store.open()
        await store.close()
    finally:
        os.umask(umask)
    assert stat.S_IMODE((data_dir / "linekeeper.db").stat().st_mode) == 0o660


async def test_incidents_come_over_and_what_was_done_stays_with_the_one_it_was_done_about(
    make_store: MakeStore, data_dir: Path, clock: Any, records: OpenRecords
) -> None:
    """Another service's too, which the store never heard of."""
    store = make_store()
    await store.open()
    others = IncidentStore(data_dir, clock)
    await others.open_incident("power", "ups", "mains is away")
    await others.note_incident("power", "ups", "speech was switched off")
    await store.open_incident("modem", "front", "the first")
    await store.note_incident("modem", "front", "done about the first")
    await store.close_incident("modem", "front")
    await others.close_incident("power", "ups")
    await store.open_incident("modem", "front", "the second")
    await store.effect_of_incident("modem", "front", "what the second cost")
    with records() as read:
        before = [incident for incident in read.incidents() if incident["kind"] != "database"]
    assert [(incident["ended_at"] is None, len(incident["actions"])) for incident in before] == [
        (False, 1),
        (False, 1),
        (True, 0),
    ]
    await store.keep_callback(await store.call_offered("front", CALLER), CallbackRequest("1", "morning"), "zh")
    await store._database.mend(DatabaseDamaged("a page is damaged"))  # type: ignore[misc]
    with records() as read:
        after = [incident for incident in read.incidents() if incident["kind"] != "database"]
    assert after == before
    await store.close()
    await others.close()


async def test_an_incident_that_ended_after_the_backup_is_over(
    make_store: MakeStore, data_dir: Path, clock: Any, records: OpenRecords
) -> None:
    store = make_store()
    await store.open()
    others = IncidentStore(data_dir, clock)
    await others.open_incident("power", "ups", "mains is away")
    await store.keep_snapshot("20260301-080000")
    await others.close_incident("power", "ups")
    await store._database.mend(DatabaseDamaged("a page is damaged"))  # type: ignore[misc]
    with records() as read:
        (power,) = [incident for incident in read.incidents() if incident["kind"] == "power"]
    assert power["ended_at"] is not None
    await store.close()
    await others.close()


@pytest.mark.parametrize("backed_up", [False, True])
async def test_the_group_may_write_into_what_takes_its_place(
    make_store: MakeStore, data_dir: Path, backed_up: bool
) -> None:
    store = make_store()
    await store.open()
    (data_dir / "linekeeper.db").chmod(0o660)
    if backed_up:
        await store.keep_snapshot("20260301-080000")
    await store._database.mend(DatabaseDamaged("a page is damaged"))  # type: ignore[misc]
    assert (data_dir / "linekeeper.db").stat().st_mode & 0o777 == 0o660
    await store.close()
