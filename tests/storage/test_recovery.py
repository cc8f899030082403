from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from firmware import wav
from firmware.errors import StorageError
from firmware.events import CallEnd, CallerId, RecordingEnd
from firmware.pcm import SampleFormat, decode_to_s16
from firmware.ports import CallbackRequest, Take
from firmware.storage import recovery
from firmware.storage.queries import Records
from firmware.storage.recording_file import RecordingName
from firmware.storage.recovery import RecoverySummary
from firmware.storage.stamps import IdMaker
from firmware.storage.store import Store

Spoken = Callable[..., bytes]
Leave = Callable[..., Any]
MakeStore = Callable[..., Store]
OpenRecords = Callable[[], Records]
CALLER = CallerId("13800138000")
SECOND = 8000


@pytest.fixture
def remains(data_dir: Path) -> Callable[..., RecordingName]:
    """Put a file where a power cut left it."""

    def make(name: RecordingName, content: bytes, *, partial: bool = True) -> RecordingName:
        folder = data_dir / "recordings"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / (name.partial if partial else name.final)).write_bytes(content)
        return name

    return make


@pytest.fixture
def name_for(clock: Any) -> Callable[..., RecordingName]:
    make_id = IdMaker(clock)

    def make(
        call_id: str | None = None, purpose: str = "message", sample_format: SampleFormat = SampleFormat.U8
    ) -> RecordingName:
        return RecordingName(make_id(), call_id or make_id(), purpose, sample_format)

    return make


async def opened(make_store: MakeStore) -> tuple[Store, RecoverySummary]:
    store = make_store()
    return store, await store.open()


async def test_a_clean_start_finds_nothing(make_store: MakeStore, leave: Leave, spoken: Spoken) -> None:
    store, summary = await opened(make_store)
    assert summary.clean
    call_id = await store.call_offered("front", CALLER)
    await store.keep_message(call_id, await leave(store, call_id, spoken(SECOND)), "zh")
    await store.call_ended(call_id, CallEnd.COMPLETED, None, "zh", [])
    await store.close()
    store, summary = await opened(make_store)
    assert summary == RecoverySummary(summary.at)
    await store.close()


async def test_a_store_that_just_stops_leaves_an_interrupted_message_and_call(
    make_store: MakeStore, spoken: Spoken, records: OpenRecords
) -> None:
    store, _ = await opened(make_store)
    call_id = await store.call_offered("front", CALLER)
    await store.call_answered(call_id, CALLER)
    recording = await store.start_recording(call_id, SampleFormat.ALAW)
    recording.write(spoken(3 * SECOND))
    await store.close()

    store, summary = await opened(make_store)
    (message_id,) = summary.messages
    assert summary.interrupted_calls == 1
    assert await store.message_audio(message_id) == decode_to_s16(spoken(3 * SECOND), SampleFormat.ALAW)
    await store.close()
    with records() as read:
        (message,), (call,), (incident,) = read.messages(), read.calls(), read.incidents()
    assert (message["interrupted"], message["caller_number"], message["duration_seconds"]) == (True, CALLER.number, 3.0)
    assert call["end_reason"] == "interrupted"
    assert call["started_at"] < message["recorded_at"] < call["ended_at"]
    assert incident["kind"] == "unclean_stop"
    assert incident["ended_at"] is not None
    assert "1 messages recovered" in incident["actions"][0]["action"]


@pytest.mark.parametrize("sample_format", [SampleFormat.U8, SampleFormat.S16, SampleFormat.ULAW, SampleFormat.ALAW])
@pytest.mark.parametrize("header", ["streaming", "zeros", "garbage"])
async def test_a_partial_file_needs_nothing_but_its_name(
    make_store: MakeStore,
    name_for: Callable[..., RecordingName],
    remains: Callable[..., RecordingName],
    data_dir: Path,
    spoken: Spoken,
    sample_format: SampleFormat,
    header: str,
) -> None:
    head = {"streaming": wav.header(sample_format, 0), "zeros": bytes(44), "garbage": spoken(44, 9)}[header]
    data = spoken(2 * SECOND)
    name = remains(name_for(sample_format=sample_format), head + data)
    store, summary = await opened(make_store)
    (message_id,) = summary.messages
    assert await store.message_audio(message_id) == decode_to_s16(data, sample_format)
    on_disk = wav.parse((data_dir / "recordings" / name.final).read_bytes())
    assert (on_disk.sample_format, on_disk.data) == (sample_format, data)
    await store.close()


@pytest.mark.parametrize("length", [0, 10, 44, 45, 44 + SECOND // 2 - 1])
async def test_remains_without_words_are_removed(
    make_store: MakeStore,
    name_for: Callable[..., RecordingName],
    remains: Callable[..., RecordingName],
    data_dir: Path,
    length: int,
) -> None:
    remains(name_for(), b"\x07" * length)
    store, summary = await opened(make_store)
    assert (summary.removed, summary.messages) == (1, [])
    assert list((data_dir / "recordings").iterdir()) == []
    await store.close()


@pytest.mark.parametrize("sample_format", [SampleFormat.S16, SampleFormat.ULAW])
@pytest.mark.parametrize("zeros", [1, 244, 4000, 9000])
async def test_zeros_that_a_power_cut_left_at_the_end_are_not_part_of_the_message(
    make_store: MakeStore,
    name_for: Callable[..., RecordingName],
    remains: Callable[..., RecordingName],
    sample_format: SampleFormat,
    zeros: int,
) -> None:
    data = b"\x55" * (3 * SECOND)
    remains(name_for(sample_format=sample_format), wav.header(sample_format, 0) + data + bytes(zeros))
    store, summary = await opened(make_store)
    (message_id,) = summary.messages
    assert await store.message_audio(message_id) == decode_to_s16(data, sample_format)
    await store.close()


async def test_a_finished_file_without_a_row_is_adopted(
    make_store: MakeStore, leave: Leave, spoken: Spoken, records: OpenRecords
) -> None:
    store, _ = await opened(make_store)
    call_id = await store.call_offered("front", CALLER)
    await leave(store, call_id, spoken(SECOND))
    await store.close()
    store, summary = await opened(make_store)
    assert await store.message_audio(summary.messages[0]) == decode_to_s16(spoken(SECOND), SampleFormat.U8)
    await store.close()
    with records() as read:
        assert read.messages()[0]["interrupted"]


@pytest.mark.parametrize("partial", [True, False])
async def test_a_spoken_reason_goes_to_its_request(
    make_store: MakeStore,
    name_for: Callable[..., RecordingName],
    remains: Callable[..., RecordingName],
    records: OpenRecords,
    spoken: Spoken,
    partial: bool,
) -> None:
    store, _ = await opened(make_store)
    call_id = await store.call_offered("front", CALLER)
    await store.keep_callback(call_id, CallbackRequest("13800138000", "morning"), "zh")
    await store.close()
    name = name_for(call_id, "callback_reason")
    remains(name, wav.dump(SampleFormat.U8, spoken(SECOND)), partial=partial)
    store, summary = await opened(make_store)
    assert (summary.reasons, summary.messages) == (1, [])
    await store.close()
    with records() as read:
        assert read.callbacks()[0]["reason_id"] == name.recording_id


async def test_a_reason_without_a_request_becomes_a_message(
    make_store: MakeStore,
    name_for: Callable[..., RecordingName],
    remains: Callable[..., RecordingName],
    spoken: Spoken,
) -> None:
    remains(name_for(purpose="callback_reason"), wav.dump(SampleFormat.U8, spoken(SECOND)))
    store, summary = await opened(make_store)
    assert len(summary.messages) == 1
    await store.close()


async def test_words_of_a_call_whose_row_is_lost_are_kept(
    make_store: MakeStore,
    name_for: Callable[..., RecordingName],
    remains: Callable[..., RecordingName],
    records: OpenRecords,
    spoken: Spoken,
) -> None:
    name = remains(name_for(), wav.dump(SampleFormat.U8, spoken(SECOND)))
    store, summary = await opened(make_store)
    assert (len(summary.messages), summary.interrupted_calls) == (1, 1)
    await store.close()
    with records() as read:
        (call,) = read.calls()
    assert (call["id"], call["line"], call["end_reason"]) == (name.call_id, "unknown", "interrupted")


async def test_a_row_without_its_file_is_an_incident_until_the_file_is_back(
    make_store: MakeStore, leave: Leave, spoken: Spoken, records: OpenRecords, data_dir: Path
) -> None:
    store, _ = await opened(make_store)
    call_id = await store.call_offered("front", CALLER)
    stored = await leave(store, call_id, spoken(SECOND))
    kept = await store.keep_message(call_id, stored, "zh")
    await store.call_ended(call_id, CallEnd.COMPLETED, None, "zh", [])
    await store.close()
    file = data_dir / "recordings" / stored.file
    content = file.read_bytes()
    file.unlink()

    for _ in range(2):
        store, summary = await opened(make_store)
        assert summary.missing_files == [stored.file]
        with pytest.raises(StorageError):
            await store.message_audio(kept.message_id)
        await store.close()
    with records() as read:
        (incident,) = read.incidents()
    assert incident["kind"] == "recording_missing"
    assert incident["ended_at"] is None

    file.write_bytes(content)
    store, _ = await opened(make_store)
    await store.close()
    with records() as read:
        assert read.incidents()[0]["ended_at"] is not None


@pytest.mark.parametrize("stranger", ["x.partial", "holiday.wav", "....wav.partial", "a.b.c.u8.wav", "..partial"])
async def test_files_that_are_not_ours_are_left_alone_and_reported(
    make_store: MakeStore, data_dir: Path, records: OpenRecords, stranger: str
) -> None:
    folder = data_dir / "recordings"
    folder.mkdir(parents=True)
    (folder / stranger).write_bytes(bytes(10_000))
    store, summary = await opened(make_store)
    assert len(summary.problems) == 1
    assert (folder / stranger).exists()
    await store.close()
    with records() as read:
        assert stranger in read.incidents()[0]["summary"]


async def test_a_folder_and_a_link_named_like_remains_do_no_harm(
    make_store: MakeStore, name_for: Callable[..., RecordingName], data_dir: Path, tmp_path: Path
) -> None:
    folder = data_dir / "recordings"
    folder.mkdir(parents=True)
    target = tmp_path / "secret"
    target.write_bytes(bytes(20_000))
    (folder / name_for().partial).symlink_to(target)
    (folder / name_for().partial).mkdir()
    store, summary = await opened(make_store)
    assert len(summary.problems) == 2
    assert target.read_bytes() == bytes(20_000)
    await store.close()


async def test_a_replaced_recording_never_comes_back(
    make_store: MakeStore, leave: Leave, spoken: Spoken, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ = await opened(make_store)
    call_id = await store.call_offered("front", CALLER)
    first = await leave(store, call_id, spoken(SECOND))
    kept = await store.keep_message(call_id, first, "zh")

    async def power_cut(*_: object) -> None:
        """The old file stays: the power went just behind the commit."""

    monkeypatch.setattr(store, "_remove_doomed", power_cut)
    second = await leave(store, call_id, spoken(SECOND, 2))
    await store.replace_message(kept.message_id, second)
    await store.close()
    assert len(list((data_dir / "recordings").iterdir())) == 2

    store, summary = await opened(make_store)
    assert (summary.removed, summary.messages) == (1, [])
    assert [file.name for file in (data_dir / "recordings").iterdir()] == [second.file]
    await store.close()


class PowerCut(BaseException):
    """Nothing catches this."""


@pytest.mark.parametrize("step", ["seal", "rename_durably", "adopt"])
@pytest.mark.parametrize("after", [True, False])
async def test_a_recovery_cut_short_loses_nothing(
    make_store: MakeStore,
    name_for: Callable[..., RecordingName],
    remains: Callable[..., RecordingName],
    spoken: Spoken,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    after: bool,
) -> None:
    for seed in range(3):
        remains(name_for(), wav.header(SampleFormat.U8, 0) + spoken(SECOND, seed))
    real = getattr(recovery, step)
    calls = 0

    def cut(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        result = real(*args) if after or calls < 2 else None
        if calls == 2:
            raise PowerCut
        return result

    with monkeypatch.context() as patch:
        patch.setattr(recovery, step, cut)
        dead = make_store()
        with pytest.raises(PowerCut):
            await dead.open()
        await dead.close()
    store, summary = await opened(make_store)
    again = make_store()
    assert summary.problems == []
    await store.close()
    await again.open()
    heard = {await again.message_audio(message["id"]) for message in _messages(again)}
    assert heard == {decode_to_s16(spoken(SECOND, seed), SampleFormat.U8) for seed in range(3)}
    assert len(_messages(again)) == 3
    await again.close()


def _messages(store: Store) -> list[dict[str, Any]]:
    from zoneinfo import ZoneInfo

    with Records(store._database.file.parent, ZoneInfo("UTC")) as read:
        return read.messages()


async def test_a_second_process_is_refused_while_the_first_takes_calls(store: Store, make_store: MakeStore) -> None:
    second = make_store()
    with pytest.raises(StorageError, match="another Linekeeper"):
        await second.open()
    assert await store.call_offered("front", CALLER)


async def test_an_abandoned_recording_becomes_a_message_when_its_call_ends(
    store: Store, records: OpenRecords, spoken: Spoken
) -> None:
    call_id = await store.call_offered("front", CALLER)
    growing = await store.start_recording(call_id, SampleFormat.U8)
    growing.write(spoken(SECOND, 1))
    unkept = await store.start_recording(call_id, SampleFormat.U8)
    unkept.write(spoken(SECOND, 2))
    await unkept.finish(Take(RecordingEnd.SILENCE, SECOND, SECOND, voiced=True))
    silent = await store.start_recording(call_id, SampleFormat.U8)
    silent.write(spoken(SECOND, 3))
    await silent.finish(Take(RecordingEnd.SILENCE, SECOND, 0, voiced=False))
    other_call = await store.call_offered("back", CALLER)
    other = await store.start_recording(other_call, SampleFormat.U8)

    await store.call_ended(call_id, CallEnd.INTERNAL_FAULT, None, "zh", [])
    with records() as read:
        messages = read.messages()
    assert [message["interrupted"] for message in messages] == [True, False]
    heard = [await store.message_audio(message["id"]) for message in messages]
    assert heard == [decode_to_s16(spoken(SECOND, seed), SampleFormat.U8) for seed in (1, 2)]
    other.write(spoken(SECOND))
    await other.discard()


async def test_the_path_of_a_call_is_kept_in_order(store: Store, records: OpenRecords) -> None:
    call_id = await store.call_offered("front", CALLER)
    await store.call_ended(call_id, CallEnd.COMPLETED, "dial_tone", "zh", ["欢迎", "menu"])
    with records() as read:
        assert read.calls()[0]["path"] == ["欢迎", "menu"]
        assert json.dumps(read.calls())
