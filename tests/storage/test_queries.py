from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware import wav
from firmware.errors import RecordNotFound, StorageError
from firmware.events import CallEnd, CallerId, NumberAbsence
from firmware.pcm import SampleFormat
from firmware.ports import CallbackRequest
from firmware.storage.queries import Records
from firmware.storage.store import Store
from firmware.storage.text import NUMBER_LIMIT, bounded

Leave = Callable[..., Any]
Spoken = Callable[..., bytes]
OpenRecords = Callable[[], Records]
CALLER = CallerId("13800138000", "王 Wang")


async def test_fields_are_those_of_the_design(store: Store, leave: Leave, spoken: Spoken, records: OpenRecords) -> None:
    call_id = await store.call_offered("front", CallerId())
    await store.call_answered(call_id, CALLER)
    stored = await leave(store, call_id, spoken(12_000), kept=10_000)
    message = await store.keep_message(call_id, stored, "zh")
    await store.mark_urgent(message.message_id)
    request = await store.keep_callback(call_id, CallbackRequest("13800138000", "morning"), "zh")
    reason = await leave(store, call_id, spoken(9000), purpose="callback_reason")
    await store.add_callback_reason(request.callback_id, reason)
    await store.call_ended(call_id, CallEnd.CALLER_HUNG_UP, "busy_tone", "zh", ["welcome", "menu"])
    await store.open_incident("line_fault", "front", "the modem is gone")
    await store.note_incident("line_fault", "front", "opened the port again")

    with records() as read:
        assert read.calls() == [
            {
                "id": call_id,
                "line": "front",
                "caller_number": "13800138000",
                "caller_name": "王 Wang",
                "started_at": "2026-03-01T16:00:03.000+08:00",
                "answered_at": "2026-03-01T16:00:04.000+08:00",
                "ended_at": "2026-03-01T16:00:15.000+08:00",
                "end_reason": "caller_hung_up",
                "language": "zh",
                "path": ["welcome", "menu"],
            }
        ]
        assert read.messages() == [
            {
                "id": message.message_id,
                "number": 1,
                "call_id": call_id,
                "caller_number": "13800138000",
                "language": "zh",
                "urgent": True,
                "interrupted": False,
                "recorded_at": "2026-03-01T16:00:06.000+08:00",
                "duration_seconds": 1.25,
                "handled": False,
                "transcript": None,
            }
        ]
        (callback,) = read.callbacks()
        assert callback.pop("reason_id")
        assert callback == {
            "id": request.callback_id,
            "number": 1,
            "phone": "13800138000",
            "requested_at": "2026-03-01T16:00:10.000+08:00",
            "preferred": "morning",
            "state": "open",
            "attempts": 0,
        }
        (incident,) = read.incidents()
        assert list(incident) == [
            "id", "number", "kind", "place", "started_at", "ended_at", "summary", "actions",
            "effect", "drill", "notices",
        ]  # fmt: skip
        assert [action["action"] for action in incident["actions"]] == ["opened the port again"]
        assert json.dumps([read.calls(), read.messages(), read.callbacks(), read.incidents()])


async def test_newest_comes_last_and_a_limit_takes_the_newest(store: Store, records: OpenRecords) -> None:
    ids = [await store.call_offered("front", CallerId()) for _ in range(5)]
    with records() as read:
        assert [call["id"] for call in read.calls()] == ids
        assert [call["id"] for call in read.calls(limit=2)] == ids[-2:]


async def test_a_merged_request_shows_the_latest_wish(store: Store, records: OpenRecords) -> None:
    call_id = await store.call_offered("front", CALLER)
    await store.keep_callback(call_id, CallbackRequest("1", "morning"), "zh")
    await store.keep_callback(call_id, CallbackRequest("1", "afternoon"), "zh")
    with records() as read:
        assert [request["preferred"] for request in read.callbacks()] == ["afternoon"]


async def test_a_merged_request_without_a_wish_keeps_the_earlier_one(store: Store, records: OpenRecords) -> None:
    call_id = await store.call_offered("front", CALLER)
    await store.keep_callback(call_id, CallbackRequest("1", "morning"), "zh")
    assert (await store.keep_callback(call_id, CallbackRequest("1"), "zh")).merged
    with records() as read:
        assert [request["preferred"] for request in read.callbacks()] == ["morning"]


async def test_a_new_request_without_a_wish_is_for_as_soon_as_possible(store: Store, records: OpenRecords) -> None:
    call_id = await store.call_offered("front", CALLER)
    await store.keep_callback(call_id, CallbackRequest("1"), "zh")
    with records() as read:
        assert [request["preferred"] for request in read.callbacks()] == ["as_soon_as_possible"]


async def test_two_readers_see_every_commit_while_the_store_writes(store: Store, records: OpenRecords) -> None:
    with records() as first, records() as second:
        for count in range(1, 30):
            writing = [asyncio.create_task(store.remember_language(str(number), "zh")) for number in range(20)]
            await store.call_offered("front", CallerId())
            assert len(first.calls()) == len(second.calls()) == count
            await asyncio.gather(*writing)


async def test_records_are_readable_while_nothing_runs(
    make_store: Callable[..., Store], records: OpenRecords, data_dir: Path
) -> None:
    store = make_store()
    await store.open()
    await store.call_offered("front", CALLER)
    await store.close()
    assert not (data_dir / "linekeeper.db-wal").exists()
    with records() as read:
        assert len(read.calls()) == 1


def test_a_folder_without_records_is_told_plainly(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="there are no records in"):
        Records(tmp_path, ZoneInfo("UTC"))


async def test_readers_cannot_write(store: Store, records: OpenRecords) -> None:
    assert store
    with records() as read, pytest.raises(Exception, match="readonly"):
        read._db.execute_sql("DELETE FROM call")  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("by", ["id", "number", "recording"])
async def test_export_writes_the_kept_part(
    store: Store, leave: Leave, spoken: Spoken, records: OpenRecords, tmp_path: Path, by: str
) -> None:
    call_id = await store.call_offered("front", CALLER)
    stored = await leave(store, call_id, spoken(20_000), SampleFormat.ULAW, kept=15_000)
    message = await store.keep_message(call_id, stored, "zh")
    wanted = {"id": message.message_id, "number": str(message.number), "recording": stored.file.split(".")[0]}[by]
    target = tmp_path / "out.wav"
    target.write_text("what was there before")
    with records() as read:
        read.export_message(wanted, target)
    exported = wav.parse(target.read_bytes())
    assert (exported.sample_format, exported.data) == (SampleFormat.ULAW, spoken(15_000))
    assert [file.name for file in tmp_path.iterdir() if "tmp" in file.name] == []


@pytest.mark.parametrize("wanted", ["", "7", "-1", "nonsense", "9" * 400, "１", "'; DROP TABLE message; --", "\ud800"])
async def test_export_of_what_nobody_left_is_told_plainly(
    store: Store, records: OpenRecords, tmp_path: Path, wanted: str
) -> None:
    assert store
    with records() as read, pytest.raises(RecordNotFound, match="there is no message"):
        read.export_message(wanted, tmp_path / "out.wav")
    assert not (tmp_path / "out.wav").exists()


async def test_export_into_nowhere_is_told_plainly(
    store: Store, leave: Leave, spoken: Spoken, records: OpenRecords, tmp_path: Path
) -> None:
    call_id = await store.call_offered("front", CALLER)
    await store.keep_message(call_id, await leave(store, call_id, spoken(8000)), "zh")
    (tmp_path / "folder").mkdir()
    with records() as read:
        for target in (tmp_path / "missing" / "out.wav", tmp_path / "folder"):
            with pytest.raises(StorageError, match=str(target)):
                read.export_message("1", target)


anything = st.text(max_size=300)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.none() | anything, name=st.none() | anything, words=st.lists(anything, max_size=5))
async def test_hostile_text_is_stored_as_bounded_data(
    store: Store, records: OpenRecords, number: str | None, name: str | None, words: list[str]
) -> None:
    caller = CallerId(number, name, NumberAbsence.WITHHELD)
    call_id = await store.call_offered("front", CallerId())
    await store.call_answered(call_id, caller)
    await store.call_ended(call_id, CallEnd.COMPLETED, name, "zh", words)
    phone = number or ""
    first = await store.keep_callback(call_id, CallbackRequest(phone, name or ""), "zh")
    second = await store.keep_callback(call_id, CallbackRequest(phone, name or ""), "zh")
    assert second.merged == bool(bounded(phone, NUMBER_LIMIT))
    assert (second.callback_id == first.callback_id) == second.merged
    await store.remember_language(phone, "en")
    assert await store.remembered_language(phone) == "en"
    with records() as read:
        call = read.calls(limit=1)[0]
        assert json.dumps([call, read.callbacks()])
    assert call["id"] == call_id
    assert call["caller_number"] == (None if number is None else bounded(number, NUMBER_LIMIT))
    assert len(call["path"]) == len(words)


@given(text=st.text(), limit=st.integers(1, 50))
def test_bounded_text_is_clean_and_short(text: str, limit: int) -> None:
    clean = bounded(text, limit)
    assert len(clean) <= limit
    assert clean.encode("utf-8").decode() == clean
    assert "\0" not in clean
    assert bounded(clean, limit) == clean


async def test_many_actions_keep_the_first_and_the_latest(store: Store, records: OpenRecords) -> None:
    await store.open_incident("line_fault", "front", "the modem is gone")
    for number in range(230):
        await store.note_incident("line_fault", "front", str(number))
    with records() as read:
        told = [action["action"] for action in read.incidents()[0]["actions"]]
    assert told == [str(number) for number in (*range(20), *range(50, 230))]


async def test_a_fault_that_comes_back_is_a_new_incident(store: Store, records: OpenRecords) -> None:
    for _ in range(2):
        await store.open_incident("line_fault", "front", "the modem is gone")
        await store.open_incident("line_fault", "front", "the modem is still gone")
        await store.close_incident("line_fault", "front")
    with records() as read:
        assert [incident["summary"] for incident in read.incidents()] == ["the modem is gone"] * 2


async def test_an_untrusted_clock_is_noted(store: Store, clock: Any) -> None:
    clock.right = False
    call_id = await store.call_offered("front", CALLER)

    def trusted(db: Any) -> bool:
        return bool(db.execute_sql("SELECT clock_trusted FROM call WHERE id = ?", (call_id,)).fetchone()[0])

    assert not await store._database.read(trusted)


async def test_closing_twice_is_fine_and_a_closed_store_says_so(make_store: Callable[..., Store]) -> None:
    store = make_store()
    await store.open()
    await store.close()
    await store.close()
    with pytest.raises(StorageError, match="closed"):
        await store.call_offered("front", CALLER)
