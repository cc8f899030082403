from __future__ import annotations

import asyncio
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from firmware.errors import FarEndUnreachable
from firmware.ports import Outcome
from firmware.sync import stick_files
from firmware.sync.folder_uplink import FolderUplink
from firmware.sync.hanging import PatientThread
from tests.sync.records import APPLIANCE, blob_in, entry


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def lines_on(stick: Path) -> list[dict[str, Any]]:
    files = sorted((stick / f"linekeeper-{APPLIANCE.device}" / "records").glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]


def audio_on(stick: Path) -> dict[str, bytes]:
    folder = stick / f"linekeeper-{APPLIANCE.device}" / "audio"
    return {file.name: file.read_bytes() for file in folder.iterdir()} if folder.is_dir() else {}


def uplink(stick: Path, home: Path) -> FolderUplink:
    return FolderUplink(stick, APPLIANCE, home, same_disk=True)


async def test_records_and_audio_lie_on_the_stick_as_agreed(stick: Path, home: Path) -> None:
    blob = blob_in(home)
    entries = [entry(7, {"caller_name": "王小明"}), entry(8, kind="recording", blob=blob)]
    answers = await uplink(stick, home).deliver(entries)
    assert {(each.seq, each.outcome) for each in answers} == {(7, Outcome.STORED), (8, Outcome.STORED)}
    root = stick / f"linekeeper-{APPLIANCE.device}"
    card = json.loads((root / "appliance.json").read_bytes())
    assert card == {"device": APPLIANCE.device, "name": APPLIANCE.name, "version": APPLIANCE.version}
    (file,) = (root / "records").iterdir()
    assert file.name.startswith("00000000000000000007-")
    first, second = lines_on(stick)
    assert (first["seq"], first["body"], first["blob"]) == (7, {"caller_name": "王小明"}, None)
    assert second["blob"] == {"sha256": blob.sha256, "bytes": blob.byte_count}
    assert audio_on(stick) == {f"{blob.sha256}.wav": blob.file.read_bytes()}


async def test_at_most_two_hundred_records_are_gathered_in_a_file(stick: Path, home: Path) -> None:
    answers = await uplink(stick, home).deliver([entry(seq) for seq in range(1, 251)])
    assert len(answers) == len(lines_on(stick)) == 200


async def test_a_stick_that_is_not_plugged_in_takes_nothing(tmp_path: Path, home: Path) -> None:
    with pytest.raises(FarEndUnreachable, match="not there"):
        await uplink(tmp_path / "missing", home).deliver([entry(1)])
    empty = tmp_path / "mount point"
    empty.mkdir()
    with pytest.raises(FarEndUnreachable, match=r"same disk.*sync\.same_disk"):
        await FolderUplink(empty, APPLIANCE, home).deliver([entry(1)])
    assert list(empty.iterdir()) == []


async def test_another_disk_is_a_stick(home: Path) -> None:
    shared_memory = Path("/dev/shm")
    if not shared_memory.is_dir() or shared_memory.stat().st_dev == home.stat().st_dev:
        pytest.skip("this machine has no second disk at /dev/shm")
    folder = shared_memory / f"linekeeper-test-{os.getpid()}"
    folder.mkdir()
    try:
        await FolderUplink(folder, APPLIANCE, home).deliver([entry(1)])
        assert len(lines_on(folder)) == 1
    finally:
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        folder.rmdir()


@pytest.mark.parametrize("call", range(1, 13))
async def test_a_stick_that_fails_at_any_moment_acknowledges_only_what_is_on_it(
    stick: Path, home: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    """Each sync is where the stick may be pulled, or full."""
    blob = blob_in(home)
    entries = [entry(1, kind="recording", blob=blob), entry(2)]
    left = [call]
    real = os.fsync

    def pulled(handle: int) -> None:
        left[0] -= 1
        if left[0] <= 0:
            raise OSError(5, "Input/output error")
        real(handle)

    monkeypatch.setattr(os, "fsync", pulled)
    folder = uplink(stick, home)
    try:
        answers = await folder.deliver(entries)
    except FarEndUnreachable:
        answers = []
    known = {line["seq"] for line in lines_on(stick)} if answers else set()
    assert {each.seq for each in answers} <= known
    assert answers or left[0] <= 0
    monkeypatch.setattr(os, "fsync", real)
    again = await folder.deliver(entries)
    assert {each.outcome for each in again} == {Outcome.STORED}
    assert audio_on(stick) == {f"{blob.sha256}.wav": blob.file.read_bytes()}
    assert {line["seq"] for line in lines_on(stick)} == {1, 2}
    assert not list(stick.rglob(".*"))


async def test_a_full_stick_is_told_and_what_fitted_is_kept(
    stick: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = [False]
    real = stick_files.copy

    def copy(source: Path, target: Path, sha256: str) -> None:
        if full[0]:
            raise OSError(28, "No space left on device")
        real(source, target, sha256)
        full[0] = True

    monkeypatch.setattr("firmware.sync.folder_uplink.copy", copy)
    small, large = blob_in(home, b"\x01" * 100), blob_in(home, b"\x02" * 100)
    entries = [entry(1, blob=small), entry(2, blob=large), entry(3)]
    folder = uplink(stick, home)
    assert [each.seq for each in await folder.deliver(entries)] == [1]
    with pytest.raises(FarEndUnreachable, match="is full"):
        await folder.deliver(entries[1:])


async def test_audio_that_is_missing_or_changed_refuses_its_record_only(stick: Path, home: Path) -> None:
    missing, changed = blob_in(home, b"\x01" * 100), blob_in(home, b"\x02" * 100)
    missing.file.unlink()
    changed.file.write_bytes(b"something else")
    answers = await uplink(stick, home).deliver([entry(1, blob=missing), entry(2, blob=changed), entry(3)])
    assert {each.seq: each.outcome for each in answers} == {
        1: Outcome.REJECTED,
        2: Outcome.REJECTED,
        3: Outcome.STORED,
    }
    assert [line["seq"] for line in lines_on(stick)] == [3]
    assert audio_on(stick) == {}


async def test_a_sick_disk_of_the_appliance_is_not_taken_for_the_sticks(
    stick: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob = blob_in(home)
    real = stick_files._pieces_of

    def pieces(file: Path) -> Any:
        if file == blob.file:
            raise OSError(5, "Input/output error")
        return real(file)

    monkeypatch.setattr(stick_files, "_pieces_of", pieces)
    first, second = await uplink(stick, home).deliver([entry(1, kind="recording", blob=blob), entry(2)])
    assert (first.seq, first.outcome, second.outcome) == (1, Outcome.REJECTED, Outcome.STORED)
    assert "cannot be read (Input/output error)" in first.reason


async def test_nothing_that_somebody_made_on_a_stick_holds_up_an_erasure(stick: Path, home: Path) -> None:
    folder = uplink(stick, home)
    await folder.deliver([entry(1)])
    os.mkfifo(stick / f"linekeeper-{APPLIANCE.device}" / "records" / "00000000000000000009-a.jsonl")
    async with asyncio.timeout(10):
        [answer] = await folder.deliver([entry(2, record_id=entry(1).record_id, erased=True)])
    assert answer.outcome is Outcome.STORED


async def test_audio_that_a_failing_stick_spoiled_is_written_again(stick: Path, home: Path) -> None:
    blob = blob_in(home)
    folder = uplink(stick, home)
    await folder.deliver([entry(1, blob=blob)])
    (file,) = (stick / f"linekeeper-{APPLIANCE.device}" / "audio").iterdir()
    file.write_bytes(b"spoiled")
    await folder.deliver([entry(1, blob=blob)])
    assert file.read_bytes() == blob.file.read_bytes()


async def test_an_erased_record_leaves_a_tombstone_and_neither_words_nor_audio(stick: Path, home: Path) -> None:
    mine, shared = blob_in(home, b"\x01" * 100), blob_in(home, b"\x02" * 100)
    folder = uplink(stick, home)
    await folder.deliver([entry(1, {"caller": "+8613800138000"}, kind="recording", blob=mine), entry(2, blob=shared)])
    await folder.deliver([entry(3, {"caller": "same"}, kind="recording", blob=shared)])
    erased = [entry(4, record_id=entry(seq).record_id, kind="recording", erased=True) for seq in (1, 3)]
    answers = await folder.deliver(erased)
    assert {each.outcome for each in answers} == {Outcome.STORED}
    left = lines_on(stick)
    assert [(line["id"], line["erased"]) for line in left] == [
        (entry(2).record_id, False),
        (entry(1).record_id, True),
        (entry(3).record_id, True),
    ]
    assert set(audio_on(stick)) == {f"{shared.sha256}.wav"}
    assert b"13800138000" not in b"".join(file.read_bytes() for file in stick.rglob("*.jsonl"))


async def test_audio_that_came_without_its_record_goes_with_the_erasure_unless_another_has_it(
    stick: Path, home: Path
) -> None:
    alone, shared = blob_in(home, b"\x01" * 100), blob_in(home, b"\x02" * 100)
    folder = uplink(stick, home)
    await folder.deliver([entry(1, kind="recording", blob=alone), entry(2, kind="recording", blob=shared)])
    for file in stick.rglob("*.jsonl"):  # the stick was pulled between audio and record
        file.write_bytes(
            b"".join(line for line in file.read_bytes().splitlines(True) if entry(1).record_id.encode() not in line)
        )
    for seq, blob in ((1, alone), (3, shared), (1, alone)):
        lost = (blob.sha256, blob.byte_count)
        await folder.deliver([entry(seq, version=9, kind="recording", erased=True, erased_audio=lost)])
    assert set(audio_on(stick)) == {f"{shared.sha256}.wav"}


async def test_a_share_that_hangs_is_given_up_and_not_asked_again_until_it_answers() -> None:
    released, begun = threading.Event(), []
    thread: PatientThread[int] = PatientThread("the folder /mnt/share")

    def hang() -> int:
        begun.append(1)
        released.wait(20)
        return 1

    with pytest.raises(FarEndUnreachable, match="has not answered"):
        await thread.run(hang, 0.05)
    with pytest.raises(FarEndUnreachable, match="still does not answer"):
        await thread.run(hang, 0.05)
    assert len(begun) == 1
    released.set()
    under_way = thread._under_way
    assert under_way is not None
    await under_way
    assert await thread.run(lambda: 2, 5.0) == 2
