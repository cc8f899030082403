"""What was erased stays erased, whichever older copy takes the place of the records."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from firmware.errors import RecordNotFound, StorageError
from firmware.events import CallEnd, CallerId
from firmware.ports import CallbackRequest
from firmware.storage import erasure, erasure_record
from firmware.storage.backup_folder import add_backup
from firmware.storage.erasure import erase_caller, erase_message
from firmware.storage.queries import Records
from firmware.storage.restore import restore_backup
from firmware.storage.stamps import Stamp
from firmware.storage.store import Store
from firmware.storage.store_files import RECEIPTS

SECOND = 8000
GONE, STAYS = "13800138000", "02187654321"
NOW = Stamp("2026-03-01T08:00:00.000+00:00", trusted=True)
Spoken = Callable[..., bytes]
Leave = Callable[..., Any]
MakeStore = Callable[..., Store]
OpenRecords = Callable[[], Records]


async def a_call(store: Store, leave: Leave, number: str, data: bytes, phone: str | None = None) -> None:
    call = await store.call_offered("front", CallerId(number))
    await store.keep_message(call, await leave(store, call, data), "zh")
    reason = await leave(store, call, data[::-1], purpose="callback_reason")
    await store.keep_callback(call, CallbackRequest(phone or number, "morning", reason), "zh")
    await store.remember_language(number, "en")
    await store.call_ended(call, CallEnd.COMPLETED, None, "zh", ["message"])


def holding(folder: Path, *words: bytes) -> list[str]:
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [file.name for file in files if any(word in file.read_bytes() for word in words)]


def only_the_other_is_left(records: OpenRecords) -> None:
    with records() as read:
        assert {message["caller_number"] for message in read.messages()} == {STAYS}
        assert {row["phone"] for row in read.callbacks()} == {STAYS}
        assert {call["caller_number"] for call in read.calls()} == {STAYS, None}


def damage(data_dir: Path) -> None:
    (data_dir / "linekeeper.db").write_bytes(b"\xa5nonsense" * 9000)


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


@pytest.fixture
async def backed_up(make_store: MakeStore, leave: Leave, spoken: Spoken, data_dir: Path, stick: Path) -> Path:
    """A stopped store with two callers in it, both in a backup."""
    store = make_store()
    await store.open()
    await a_call(store, leave, STAYS, spoken(SECOND, 1))
    await a_call(store, leave, GONE, spoken(SECOND, 2))
    backup = add_backup(data_dir, stick, 5, NOW, "20260301-080000").file
    await store.close()
    return backup


async def test_a_restore_does_not_bring_it_back(
    backed_up: Path, make_store: MakeStore, spoken: Spoken, data_dir: Path, clock: Any, records: OpenRecords
) -> None:
    erase_caller(data_dir, GONE, clock, "CN")
    restored = restore_backup(backed_up, data_dir, NOW)
    assert restored.aside is not None
    assert holding(data_dir, GONE.encode(), spoken(SECOND, 2)[:400]) == []
    store = make_store()
    summary = await store.open()
    assert (summary.missing_files, summary.problems) == ([], [])
    only_the_other_is_left(records)
    await store.close()


async def test_one_message_does_not_come_back_either(
    backed_up: Path, make_store: MakeStore, spoken: Spoken, data_dir: Path, clock: Any, records: OpenRecords
) -> None:
    erase_message(data_dir, "2", clock)
    restore_backup(backed_up, data_dir, NOW)
    assert holding(data_dir / "recordings", spoken(SECOND, 2)[:400]) == []
    store = make_store()
    assert (await store.open()).missing_files == []
    with records() as read:
        assert [message["number"] for message in read.messages()] == [1]
        assert len(read.callbacks()) == 2
    await store.close()


async def test_a_backup_that_replaces_a_damaged_database_does_not_bring_it_back(
    backed_up: Path, make_store: MakeStore, stick: Path, data_dir: Path, clock: Any, records: OpenRecords
) -> None:
    erase_caller(data_dir, GONE, clock, "CN")
    damage(data_dir)
    store = make_store(backup_folders=[stick])
    assert (await store.open()).missing_files == []
    only_the_other_is_left(records)
    await store.close()
    assert holding(data_dir, GONE.encode()) == []


async def test_what_others_acknowledged_since_survives_both(
    backed_up: Path,
    make_store: MakeStore,
    leave: Leave,
    spoken: Spoken,
    stick: Path,
    data_dir: Path,
    clock: Any,
    records: OpenRecords,
) -> None:
    store = make_store(backup_folders=[stick])
    await store.open()
    await a_call(store, leave, GONE, spoken(SECOND, 3))
    await a_call(store, leave, "13900139000", spoken(SECOND, 4))
    clock.moment += timedelta(hours=1)
    erase_caller(data_dir, GONE, clock, "CN")
    damage(data_dir)
    with pytest.raises(RecordNotFound):
        await store.message_audio(store.new_call_id())
    with records() as read:
        assert {row["phone"] for row in read.callbacks()} == {STAYS, "13900139000"}
        assert [(m["number"], m["caller_number"]) for m in read.messages()] == [(1, STAYS), (4, "13900139000")]
    await store.close()
    assert holding(data_dir, GONE.encode(), spoken(SECOND, 3)[:400]) == []


@pytest.mark.parametrize("written", ["+8613800138000", "8613800138000", "008613800138000", "138 0013 8000"])
async def test_every_spelling_of_a_number_goes(
    store: Store, leave: Leave, spoken: Spoken, data_dir: Path, clock: Any, records: OpenRecords, written: str
) -> None:
    await a_call(store, leave, written, spoken(SECOND, 1))
    await a_call(store, leave, STAYS, spoken(SECOND, 2))
    clock.moment += timedelta(hours=1)
    erased = erase_caller(data_dir, GONE, clock, "CN").erased
    assert (erased.messages, erased.callbacks, erased.calls, erased.languages) == (1, 1, 1, 1)
    only_the_other_is_left(records)


async def test_a_request_that_another_caller_joined_goes_on_without_the_words_of_the_erased_one(
    store: Store, leave: Leave, spoken: Spoken, data_dir: Path, clock: Any, records: OpenRecords
) -> None:
    await a_call(store, leave, GONE, spoken(SECOND, 1), phone="4008001234")
    joining = await store.call_offered("front", CallerId(STAYS))
    await store.keep_callback(joining, CallbackRequest("4008001234", "afternoon"), "zh")
    await store.call_ended(joining, CallEnd.COMPLETED, None, "zh", ["callback"])
    clock.moment += timedelta(hours=1)
    erase_caller(data_dir, GONE, clock, "CN")
    with records() as read:
        (left,) = read.callbacks()
    assert (left["phone"], left["preferred"], left["reason_id"]) == ("4008001234", "afternoon", None)
    assert holding(data_dir, GONE.encode(), spoken(SECOND, 1)[::-1][:400]) == []


async def test_a_receipt_that_was_cut_off_spoils_no_later_one(
    backed_up: Path, make_store: MakeStore, data_dir: Path, clock: Any, records: OpenRecords
) -> None:
    (data_dir / RECEIPTS).write_text('{"receipt": "cut of')
    erase_caller(data_dir, GONE, clock, "CN")
    assert json.loads((data_dir / RECEIPTS).read_text().splitlines()[-1])["messages"] == 1
    restore_backup(backed_up, data_dir, NOW)
    store = make_store()
    await store.open()
    only_the_other_is_left(records)
    await store.close()


async def test_a_backup_that_is_being_made_beside_the_records_goes_too(
    store: Store, data_dir: Path, clock: Any
) -> None:
    checking = data_dir / "snapshots" / ".linekeeper-backup-check-x"
    checking.mkdir(parents=True)
    (checking / "linekeeper.db").write_bytes(GONE.encode())
    erase_caller(data_dir, GONE, clock, "CN")
    assert holding(data_dir, GONE.encode()) == []


async def test_nobody_is_told_that_it_is_done_where_the_database_was_replaced_meanwhile(
    store: Store, leave: Leave, spoken: Spoken, data_dir: Path, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_call(store, leave, GONE, spoken(SECOND, 1))
    clock.moment += timedelta(hours=1)
    file = data_dir / "linekeeper.db"
    note = erasure_record.note_erasure

    def replaced_before(*arguments: Any) -> None:
        content = file.read_bytes()
        file.rename(data_dir / "before")
        file.write_bytes(content)
        note(*arguments)

    monkeypatch.setattr(erasure, "note_erasure", replaced_before)
    with pytest.raises(StorageError, match="do it once more"):
        erase_caller(data_dir, GONE, clock, "CN")


async def test_an_opening_that_fails_behind_a_replacement_is_made_up_for_whole(
    store: Store, leave: Leave, spoken: Spoken, data_dir: Path, clock: Any, records: OpenRecords
) -> None:
    """What this run acknowledged is there, and what was erased is not, though only the second try succeeded."""
    await a_call(store, leave, GONE, spoken(SECOND, 1))
    await a_call(store, leave, STAYS, spoken(SECOND, 2))
    clock.moment += timedelta(hours=1)
    erase_caller(data_dir, GONE, clock, "CN")
    with pytest.MonkeyPatch.context() as patch:
        for step in ("writer.Writer.settle", "opening.erase_again"):
            patch.setattr(f"firmware.storage.{step}", _refused)
            damage(data_dir)
            with pytest.raises(StorageError):
                await store.keep_callback(store.new_call_id(), CallbackRequest("1", "morning"), "zh")
            patch.undo()
            if step.startswith("writer"):
                await store.open()
    await store.open()
    only_the_other_is_left(records)
    with records() as read:
        assert [message["number"] for message in read.messages()] == [2]


def _refused(*_: Any, **__: Any) -> None:
    raise StorageError("the database is locked")


async def test_what_was_erased_is_noted_whatever_cuts_the_erasure_short(
    backed_up: Path, make_store: MakeStore, data_dir: Path, clock: Any, records: OpenRecords, monkeypatch: Any
) -> None:
    def cut(*_: object) -> None:
        raise StorageError("the power went")

    with monkeypatch.context() as patched:
        patched.setattr(erasure, "_empty_log", cut)
        with pytest.raises(StorageError):
            erase_caller(data_dir, GONE, clock, "CN")
    erase_caller(data_dir, GONE, clock, "CN")
    restore_backup(backed_up, data_dir, NOW)
    only_the_other_is_left(records)


def test_receipts_are_for_every_service_of_the_group(data_dir: Path) -> None:
    data_dir.mkdir(mode=0o770)
    data_dir.chmod(0o2770)
    erasure_record.note_erasure(data_dir, {}, erasure_record.Traces())
    assert (data_dir / RECEIPTS).stat().st_mode & 0o777 == 0o660
