"""Erasing one caller: nothing of them is left in any file, and everything of the others is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from firmware.clock import SystemClock
from firmware.errors import RecordNotFound, StorageError
from firmware.events import CallEnd, CallerId
from firmware.ports import CallbackRequest
from firmware.storage.erasure import erase_caller, erase_message
from firmware.storage.queries import Records
from firmware.storage.store import Store
from firmware.storage.store_files import RECEIPTS
from firmware.storage.transcript_rows import Untranscribed

SECOND = 8000
GONE, STAYS = "13800138000", "02187654321"
NAME = "Wang Xiaoming"
Spoken = Callable[..., bytes]
Leave = Callable[..., Any]


class LaterClock(SystemClock):
    """An hour later than the test's store."""

    def __init__(self, clock: Any) -> None:
        super().__init__()
        self._clock = clock

    def now(self) -> Any:
        return self._clock.moment + timedelta(hours=1)


async def whole_call(store: Store, leave: Leave, number: str, data: bytes, name: str = "someone") -> str:
    caller = CallerId(number, name)
    call = await store.call_offered("front", CallerId())
    await store.call_answered(call, caller)
    kept = await store.keep_message(call, await leave(store, call, data), "zh")
    words = f"this is what {name} said"
    job = await store.next_untranscribed(["zh"])
    assert isinstance(job, Untranscribed)
    await store.keep_transcript(job, words, 0.9)
    reason = await leave(store, call, data[::-1], purpose="callback_reason")
    await store.keep_callback(call, CallbackRequest(number, "morning", reason), "zh")
    await store.remember_language(number, "en")
    await store.call_ended(call, CallEnd.COMPLETED, None, "zh", ["message"])
    return str(kept.message_id)


def holding(folder: Path, word: bytes) -> list[str]:
    return [file.name for file in folder.rglob("*") if file.is_file() and word in file.read_bytes()]


async def test_nothing_of_a_caller_is_left_beside_a_running_store_and_all_of_the_others_is(
    store: Store, leave: Leave, spoken: Spoken, data_dir: Path, clock: Any, records: Callable[[], Records]
) -> None:
    for round_ in range(30):
        await whole_call(store, leave, STAYS, spoken(SECOND, 1000 + round_))
        await whole_call(store, leave, GONE, spoken(SECOND, round_), NAME)
    assert holding(data_dir, GONE.encode())
    receipt = erase_caller(data_dir, GONE, LaterClock(clock), "CN")
    erased = receipt.erased
    assert (erased.messages, erased.recordings, erased.callbacks, erased.calls, erased.languages) == (30, 60, 1, 30, 1)
    for word in (GONE.encode(), NAME.encode(), spoken(SECOND, 3)[:400], spoken(SECOND, 7)[::-1][:400]):
        assert holding(data_dir, word) == []
    with records() as read:
        assert len(read.messages()) == 30
        assert {message["caller_number"] for message in read.messages()} == {STAYS}
        assert len(read.calls()) == 60
    again = await whole_call(store, leave, GONE, spoken(SECOND, 5))
    assert len(await store.message_audio(again)) == 2 * SECOND


async def test_the_receipt_is_kept_and_tells_nothing_personal(
    store: Store, leave: Leave, spoken: Spoken, data_dir: Path, clock: Any
) -> None:
    await whole_call(store, leave, GONE, spoken(SECOND), NAME)
    receipt = erase_caller(data_dir, GONE, LaterClock(clock), "CN")
    kept = (data_dir / RECEIPTS).read_text()
    assert receipt.receipt in kept
    assert GONE not in kept + str(receipt)


async def test_one_message_goes_by_number_and_its_call_stays(
    store: Store, leave: Leave, spoken: Spoken, data_dir: Path, clock: Any, records: Callable[[], Records]
) -> None:
    await whole_call(store, leave, STAYS, spoken(SECOND, 1))
    await whole_call(store, leave, GONE, spoken(SECOND, 2))
    erase_message(data_dir, "2", LaterClock(clock))
    with records() as read:
        assert [message["number"] for message in read.messages()] == [1]
        assert len(read.calls()) == 2
    assert holding(data_dir, spoken(SECOND, 2)[:400]) == []
    with pytest.raises(RecordNotFound, match="there is no message 2"):
        erase_message(data_dir, "2", LaterClock(clock))


async def test_a_call_that_is_going_on_is_waited_for(
    store: Store, leave: Leave, spoken: Spoken, data_dir: Path, clock: Any
) -> None:
    call = await store.call_offered("front", CallerId(GONE))
    await store.keep_message(call, await leave(store, call, spoken(SECOND)), "zh")
    with pytest.raises(StorageError, match="going on or has just ended"):
        erase_caller(data_dir, GONE, LaterClock(clock), "CN")
    await store.call_ended(call, CallEnd.COMPLETED, None, "zh", [])
    with pytest.raises(StorageError, match="going on or has just ended"):
        erase_caller(data_dir, GONE, clock, "CN")
    assert erase_caller(data_dir, GONE, LaterClock(clock), "CN").erased.messages == 1


async def test_what_a_dead_run_left_of_a_caller_goes_too(
    make_store: Callable[..., Store], spoken: Spoken, data_dir: Path, clock: Any
) -> None:
    store = make_store()
    await store.open()
    call = await store.call_offered("front", CallerId(GONE))
    recording = await store.start_recording(call, _ulaw())
    recording.write(spoken(3 * SECOND))
    await store.close()
    assert list((data_dir / "recordings").glob("*.partial"))
    assert erase_caller(data_dir, GONE, clock, "CN").erased.recordings == 1
    assert list((data_dir / "recordings").iterdir()) == []
    again = make_store()
    summary = await again.open()
    assert (summary.messages, summary.missing_files) == ([], [])
    await again.close()


async def test_small_backups_beside_the_records_go_with_it(store: Store, data_dir: Path, clock: Any) -> None:
    (data_dir / "snapshots").mkdir()
    (data_dir / "snapshots" / "linekeeper-20260301-080000.backup").write_bytes(GONE.encode())
    erase_caller(data_dir, GONE, LaterClock(clock), "CN")
    assert holding(data_dir, GONE.encode()) == []


async def test_what_was_put_aside_is_named(store: Store, data_dir: Path, clock: Any) -> None:
    (data_dir / "before-restore-20260301-080000").mkdir()
    (data_dir / "linekeeper.db.corrupt-20260301-080000").write_bytes(b"")
    receipt = erase_caller(data_dir, GONE, LaterClock(clock), "CN")
    assert receipt.copies == ("before-restore-20260301-080000", "linekeeper.db.corrupt-20260301-080000")


def _ulaw() -> Any:
    from firmware.pcm import SampleFormat

    return SampleFormat.ULAW
