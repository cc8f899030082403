from __future__ import annotations

import asyncio
import errno
import os
import shutil
import subprocess
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from firmware import wav
from firmware.errors import DiskFull, StorageError
from firmware.events import CallEnd, CallerId, RecordingEnd
from firmware.pcm import SampleFormat, decode_to_s16
from firmware.ports import CallbackRequest, Take
from firmware.storage.recording_file import RecordingName
from firmware.storage.recordings import DiskRecording
from firmware.storage.store import Store

Spoken = Callable[..., bytes]
SECOND = 8000
CLEAN = Take(RecordingEnd.KEY, 0, 10**9, voiced=True)


async def begin(store: Store, sample_format: SampleFormat = SampleFormat.U8) -> tuple[str, DiskRecording]:
    call_id = await store.call_offered("front", CallerId())
    return call_id, await store.start_recording(call_id, sample_format)


def folder_names(data_dir: Path) -> list[str]:
    return sorted(file.name for file in (data_dir / "recordings").iterdir())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


async def test_a_growing_file_tells_call_and_format_in_its_name(store: Store, data_dir: Path) -> None:
    call_id, recording = await begin(store, SampleFormat.ALAW)
    (name,) = folder_names(data_dir)
    parsed = RecordingName.parse(name)
    assert name.endswith(".partial")
    assert (parsed.call_id, parsed.purpose, parsed.sample_format) == (call_id, "message", SampleFormat.ALAW)
    await recording.discard()
    assert folder_names(data_dir) == []


async def test_audio_reaches_the_file_while_the_caller_speaks(store: Store, data_dir: Path, spoken: Spoken) -> None:
    _, recording = await begin(store)
    recording.write(spoken(SECOND))
    (name,) = folder_names(data_dir)
    file = data_dir / "recordings" / name
    await until(lambda: file.stat().st_size == wav.HEADER_BYTES + SECOND)
    assert file.read_bytes()[wav.HEADER_BYTES :] == spoken(SECOND)


async def test_signed_samples_are_stored_as_unsigned_without_loss(store: Store, data_dir: Path, spoken: Spoken) -> None:
    _, recording = await begin(store, SampleFormat.S8)
    recording.write(spoken(SECOND))
    stored = await recording.finish(CLEAN)
    content = wav.parse((data_dir / "recordings" / stored.file).read_bytes())
    assert stored.sample_format is content.sample_format is SampleFormat.U8
    assert decode_to_s16(content.data, SampleFormat.U8) == decode_to_s16(spoken(SECOND), SampleFormat.S8)


@pytest.mark.fast_time
async def test_the_disk_takes_no_simulated_time(store: Store, spoken: Spoken) -> None:
    async with asyncio.timeout(0.001):
        call_id, recording = await begin(store)
        recording.write(spoken(3 * SECOND))
        await store.keep_message(call_id, await recording.finish(CLEAN), "zh")
    assert asyncio.get_running_loop().time() == 0


async def test_half_a_sample_at_the_end_is_cut(store: Store, data_dir: Path, spoken: Spoken) -> None:
    _, recording = await begin(store, SampleFormat.S16)
    recording.write(spoken(SECOND + 1))
    stored = await recording.finish(CLEAN)
    assert stored.take.total_samples == stored.take.kept_samples == SECOND // 2
    assert wav.parse((data_dir / "recordings" / stored.file).read_bytes()).data == spoken(SECOND)


async def test_a_file_is_synced_before_and_its_folder_after_the_final_name(
    store: Store, data_dir: Path, spoken: Spoken, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, recording = await begin(store)
    recording.write(spoken(100))
    done: list[tuple[str, list[str]]] = []
    sync = os.fsync

    def noted(handle: int) -> None:
        sync(handle)
        kind = "folder" if Path(f"/proc/self/fd/{handle}").readlink().is_dir() else "file"
        done.append((kind, [name.rpartition(".")[2] for name in folder_names(data_dir)]))

    monkeypatch.setattr(os, "fsync", noted)
    await recording.finish(CLEAN)
    assert done == [("file", ["partial"]), ("folder", ["wav"])]


async def test_at_most_a_second_of_speech_is_not_yet_on_the_disk(
    store: Store, spoken: Spoken, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, recording = await begin(store)
    durable = [0]
    sync = os.fdatasync

    def noted(handle: int) -> None:
        sync(handle)
        durable[0] = os.fstat(handle).st_size - wav.HEADER_BYTES

    monkeypatch.setattr(os, "fdatasync", noted)
    worst = 0
    for at in range(0, 10 * SECOND, 160):
        recording.write(spoken(160))
        worst = max(worst, at + 160 - durable[0])
        if recording._drain is not None:
            await asyncio.wait([recording._drain])
    assert SECOND // 2 < worst <= SECOND
    await recording.discard()


async def test_a_stuck_disk_stops_neither_the_recording_nor_the_loop(
    store: Store, spoken: Spoken, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, recording = await begin(store)
    gate = threading.Event()
    write = os.pwrite

    def stuck(handle: int, data: bytes, at: int) -> int:
        gate.wait(10)
        return write(handle, data, at)

    monkeypatch.setattr(os, "pwrite", stuck)
    for at in range(0, 10 * SECOND, 160):
        recording.write(spoken(10 * SECOND)[at : at + 160])
    assert await store.remembered_language("1") is None
    other = await store.call_offered("back", CallerId())
    await store.call_ended(other, CallEnd.COMPLETED, None, "zh", [])
    gate.set()
    stored = await recording.finish(CLEAN)
    assert stored.take.total_samples == 10 * SECOND


async def test_a_cancelled_finish_is_carried_out(store: Store, data_dir: Path, spoken: Spoken) -> None:
    _, recording = await begin(store)
    recording.write(spoken(SECOND))
    finishing = asyncio.create_task(recording.finish(CLEAN))
    await asyncio.sleep(0)
    finishing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await finishing
    await until(lambda: not folder_names(data_dir)[0].endswith(".partial"))


async def test_a_recording_is_finished_once(store: Store, spoken: Spoken) -> None:
    _, recording = await begin(store)
    recording.write(spoken(SECOND))
    await recording.finish(CLEAN)
    with pytest.raises(StorageError, match="finished or removed already"):
        await recording.finish(CLEAN)


def refuse_after(monkeypatch: pytest.MonkeyPatch, allowed: int, code: int = errno.ENOSPC) -> None:
    """A disk that takes `allowed` bytes of samples more; rewriting a header needs no room."""
    write = os.pwrite
    left = [allowed]

    def limited(handle: int, data: bytes, at: int) -> int:
        if at < wav.HEADER_BYTES:
            return write(handle, data, at)
        if not left[0]:
            raise OSError(code, os.strerror(code))
        done = write(handle, bytes(data)[: left[0]], at)
        left[0] -= done
        return done

    monkeypatch.setattr(os, "pwrite", limited)


async def test_a_full_disk_is_told_at_the_next_write_and_keeps_what_it_took(
    store: Store, spoken: Spoken, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_id, recording = await begin(store)
    refuse_after(monkeypatch, 3 * SECOND)
    recording.write(spoken(4 * SECOND))
    failure = recording._file
    await until(lambda: failure.failure is not None)
    with pytest.raises(DiskFull, match="free some space"):
        recording.write(b"\x80")
    stored = await recording.finish(replace(CLEAN, end=RecordingEnd.DISK_FULL))
    assert stored.take.total_samples == 3 * SECOND
    kept = await store.keep_message(call_id, stored, "zh")
    expected = decode_to_s16(spoken(3 * SECOND), SampleFormat.U8)
    assert await store.message_audio(kept.message_id) == expected


async def test_a_full_disk_is_told_by_finish_where_no_write_came_after(
    store: Store, spoken: Spoken, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, recording = await begin(store)
    refuse_after(monkeypatch, SECOND)
    recording.write(spoken(2 * SECOND))
    with pytest.raises(DiskFull):
        await recording.finish(CLEAN)
    stored = await recording.finish(replace(CLEAN, end=RecordingEnd.DISK_FULL))
    assert stored.take.total_samples == SECOND


async def test_a_disk_that_took_nothing_keeps_nothing(
    store: Store, data_dir: Path, spoken: Spoken, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, recording = await begin(store)
    refuse_after(monkeypatch, 0)
    recording.write(spoken(SECOND))
    with pytest.raises(DiskFull):
        await recording.finish(replace(CLEAN, end=RecordingEnd.DISK_FULL))
    await recording.discard()
    assert folder_names(data_dir) == []


async def test_after_a_failed_sync_only_what_was_synced_before_counts(
    store: Store, data_dir: Path, spoken: Spoken, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, recording = await begin(store)
    recording.write(spoken(3 * SECOND)[: 2 * SECOND])
    await until(lambda: recording._file._synced_bytes == 2 * SECOND)

    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", fail)
        recording.write(spoken(3 * SECOND)[2 * SECOND :])
        await until(lambda: recording._file.failure is not None)
    with pytest.raises(DiskFull):
        await recording.finish(CLEAN)
    stored = await recording.finish(replace(CLEAN, end=RecordingEnd.DISK_FULL))
    assert stored.take.total_samples == 2 * SECOND
    assert wav.parse((data_dir / "recordings" / stored.file).read_bytes()).data == spoken(2 * SECOND)


async def test_another_disk_error_is_a_plain_sentence(
    store: Store, spoken: Spoken, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, recording = await begin(store)
    refuse_after(monkeypatch, 0, errno.EIO)
    recording.write(spoken(SECOND))
    with pytest.raises(StorageError, match="Input/output error") as caught:
        await recording.finish(CLEAN)
    assert not isinstance(caught.value, DiskFull)


async def test_voice_is_refused_before_the_reserve_is_touched(make_store: Callable[..., Store]) -> None:
    room = [65_000_000]
    store = make_store(keep_free_megabytes=64, free_bytes=lambda _: room[0])
    await store.open()
    call_id = await store.call_offered("front", CallerId())
    assert await store.voice_room()
    room[0] = 63_000_000
    assert not await store.voice_room()
    with pytest.raises(DiskFull):
        await store.start_recording(call_id, SampleFormat.U8)
    assert (await store.keep_callback(call_id, CallbackRequest("1", "morning"), "zh")).number == 1
    await store.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB, where we may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    command = [str(mount), "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if os.geteuid() or mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root; the same is tested with an injected ENOSPC")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def fill(file: Path) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(handle, bytes(4096))
    finally:
        os.close(handle)


async def remember_many(store: Store) -> None:
    for number in range(10_000):
        await store.remember_language(str(number), "zh" * 30)


@pytest.fixture
async def small_store(small_disk: Path, clock: Any) -> AsyncIterator[Store]:
    store = Store(small_disk, clock, keep_free_megabytes=0)
    await store.open()
    yield store
    await store.close()


async def test_a_really_full_disk_keeps_messages_and_takes_them_again_later(
    small_store: Store, small_disk: Path, spoken: Spoken
) -> None:
    store = small_store
    call_id, recording = await begin(store)
    recording.write(spoken(SECOND))
    kept = await store.keep_message(call_id, await recording.finish(CLEAN), "zh")

    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space"):
        fill(filler)
    with pytest.raises(DiskFull):
        await store.start_recording(call_id, SampleFormat.U8)
    with pytest.raises(DiskFull):
        await remember_many(store)

    filler.unlink()
    await store.remember_language("1", "en")
    assert await store.remembered_language("1") == "en"
    assert await store.message_audio(kept.message_id) == decode_to_s16(spoken(SECOND), SampleFormat.U8)
