"""What every `ports.CallStore` must do, whatever it keeps its records in. Uses the port alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from firmware.errors import RecordNotFound
from firmware.events import CallEnd, CallerId, RecordingEnd
from firmware.pcm import SampleFormat, decode_to_s16
from firmware.ports import CallbackRequest, CallStore, Take
from firmware.storage.store import Store

CALLER = CallerId("13800138000", "王 Wang")
Leave = Callable[..., Any]
Spoken = Callable[..., bytes]


@pytest.fixture(params=["disk"])
async def any_store(make_store: Callable[..., Store]) -> AsyncIterator[CallStore]:
    store = make_store()
    await store.open()
    yield store
    await store.close()


async def test_calls_have_ids_of_their_own(any_store: CallStore) -> None:
    first = await any_store.call_offered("front", CallerId())
    second = await any_store.call_offered("front", CallerId())
    assert first != second
    await any_store.call_answered(first, CALLER)
    await any_store.call_ended(first, CallEnd.COMPLETED, "busy_tone", "zh", ["welcome", "menu"])


async def test_a_call_that_nobody_offered_is_not_found(any_store: CallStore) -> None:
    with pytest.raises(RecordNotFound):
        await any_store.call_answered("nonsense", CALLER)
    with pytest.raises(RecordNotFound):
        await any_store.call_ended("nonsense", CallEnd.COMPLETED, None, "zh", [])


@pytest.mark.parametrize("sample_format", list(SampleFormat))
async def test_a_message_plays_back_exactly(
    any_store: CallStore, leave: Leave, spoken: Spoken, sample_format: SampleFormat
) -> None:
    data = spoken(2 * 9000)
    call_id = await any_store.call_offered("front", CALLER)
    stored = await leave(any_store, call_id, data, sample_format)
    kept = await any_store.keep_message(call_id, stored, "zh")
    assert await any_store.message_audio(kept.message_id) == decode_to_s16(data, sample_format)


async def test_only_the_kept_part_plays_back(any_store: CallStore, leave: Leave, spoken: Spoken) -> None:
    data = spoken(20_000)
    call_id = await any_store.call_offered("front", CALLER)
    kept = await any_store.keep_message(call_id, await leave(any_store, call_id, data, kept=12_345), "zh")
    assert await any_store.message_audio(kept.message_id) == decode_to_s16(data[:12_345], SampleFormat.U8)


async def test_spoken_numbers_increase(any_store: CallStore, leave: Leave, spoken: Spoken) -> None:
    numbers = []
    for seed in range(3):
        call_id = await any_store.call_offered("front", CALLER)
        stored = await leave(any_store, call_id, spoken(8000, seed))
        numbers.append((await any_store.keep_message(call_id, stored, "zh")).number)
    assert numbers == sorted(set(numbers))


async def test_a_recording_kept_twice_is_one_message(any_store: CallStore, leave: Leave, spoken: Spoken) -> None:
    call_id = await any_store.call_offered("front", CALLER)
    stored = await leave(any_store, call_id, spoken(8000))
    assert await any_store.keep_message(call_id, stored, "zh") == await any_store.keep_message(call_id, stored, "zh")


async def test_recording_again_keeps_number_and_changes_the_words(
    any_store: CallStore, leave: Leave, spoken: Spoken
) -> None:
    call_id = await any_store.call_offered("front", CALLER)
    first = await any_store.keep_message(call_id, await leave(any_store, call_id, spoken(8000, 1)), "zh")
    second = await any_store.replace_message(first.message_id, await leave(any_store, call_id, spoken(9000, 2)))
    assert second == first
    assert await any_store.message_audio(first.message_id) == decode_to_s16(spoken(9000, 2), SampleFormat.U8)


async def test_messages_that_nobody_left_are_not_found(any_store: CallStore, leave: Leave, spoken: Spoken) -> None:
    call_id = await any_store.call_offered("front", CALLER)
    stored = await leave(any_store, call_id, spoken(8000))
    with pytest.raises(RecordNotFound):
        await any_store.mark_urgent("nonsense")
    with pytest.raises(RecordNotFound):
        await any_store.message_audio("nonsense")
    with pytest.raises(RecordNotFound):
        await any_store.replace_message("nonsense", stored)


async def test_requests_of_one_phone_merge(any_store: CallStore) -> None:
    call_id = await any_store.call_offered("front", CALLER)
    first = await any_store.keep_callback(call_id, CallbackRequest("13800138000", "morning"), "zh")
    other = await any_store.keep_callback(call_id, CallbackRequest("02112345678", "morning"), "zh")
    again = await any_store.keep_callback(call_id, CallbackRequest("13800138000", "afternoon"), "zh")
    assert (first.merged, other.merged, again.merged) == (False, False, True)
    assert (again.callback_id, again.number) == (first.callback_id, first.number)
    assert other.number > first.number


async def test_requests_without_a_phone_do_not_merge(any_store: CallStore) -> None:
    call_id = await any_store.call_offered("front", CallerId())
    first = await any_store.keep_callback(call_id, CallbackRequest("", "morning"), "zh")
    second = await any_store.keep_callback(call_id, CallbackRequest("", "morning"), "zh")
    assert not second.merged
    assert first.number != second.number


async def test_a_reason_needs_its_request(any_store: CallStore, leave: Leave, spoken: Spoken) -> None:
    call_id = await any_store.call_offered("front", CALLER)
    reason = await leave(any_store, call_id, spoken(8000), purpose="callback_reason")
    with pytest.raises(RecordNotFound):
        await any_store.add_callback_reason("nonsense", reason)
    kept = await any_store.keep_callback(call_id, CallbackRequest("1", "morning"), "zh")
    await any_store.add_callback_reason(kept.callback_id, reason)


async def test_the_language_of_a_number_is_remembered(any_store: CallStore) -> None:
    assert await any_store.remembered_language("13800138000") is None
    await any_store.remember_language("13800138000", "zh")
    await any_store.remember_language("13800138000", "en")
    await any_store.remember_language("13900139000", "zh")
    assert await any_store.remembered_language("13800138000") == "en"


async def test_incidents_open_and_close(any_store: CallStore) -> None:
    await any_store.close_incident("line_fault", "front")
    await any_store.open_incident("line_fault", "front", "the modem is gone")
    await any_store.open_incident("line_fault", "front", "the modem is gone")
    await any_store.note_incident("line_fault", "front", "opened the port again")
    await any_store.close_incident("line_fault", "front")
    with pytest.raises(RecordNotFound):
        await any_store.note_incident("line_fault", "nowhere", "nothing")


async def test_a_discarded_recording_may_be_discarded_again(any_store: CallStore, spoken: Spoken) -> None:
    call_id = await any_store.call_offered("front", CALLER)
    recording = await any_store.start_recording(call_id, SampleFormat.U8)
    recording.write(spoken(9000))
    await recording.discard()
    await recording.discard()
    await any_store.call_ended(call_id, CallEnd.COMPLETED, None, "zh", [])


async def test_discarding_what_is_kept_takes_nothing_away(any_store: CallStore, spoken: Spoken) -> None:
    call_id = await any_store.call_offered("front", CALLER)
    recording = await any_store.start_recording(call_id, SampleFormat.ULAW)
    recording.write(spoken(9000))
    stored = await recording.finish(Take(RecordingEnd.HANG_UP, 9000, 9000, voiced=True))
    kept = await any_store.keep_message(call_id, stored, "zh")
    await recording.discard()
    assert await any_store.message_audio(kept.message_id) == decode_to_s16(spoken(9000), SampleFormat.ULAW)


async def test_an_id_that_is_no_calls_starts_no_recording(any_store: CallStore) -> None:
    for nonsense in ("unrecorded", "../../etc/passwd", ""):
        with pytest.raises(RecordNotFound):
            await any_store.start_recording(nonsense, SampleFormat.U8)
