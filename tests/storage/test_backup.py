"""A backup holds what was there at one instant, and is only called one once it was opened and read."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from firmware.audio.own_versions import own_folder
from firmware.errors import StorageError
from firmware.events import CallerId
from firmware.storage import backup as backup_module
from firmware.storage.backup import make_backup
from firmware.storage.backup_check import check_backup, read_manifest
from firmware.storage.backup_folder import add_backup, backups_in, newest_good
from firmware.storage.backup_layout import OWN_VOICE
from firmware.storage.snapshot import take_snapshot
from firmware.storage.stamps import Stamp
from firmware.storage.store import Store

NOW = Stamp("2026-03-01T08:00:00.000+00:00", trusted=True)
SECOND = 8000
Spoken = Callable[..., bytes]
Leave = Callable[..., Any]


async def message(store: Store, leave: Leave, data: bytes) -> str:
    call = await store.call_offered("front", CallerId("13800138000"))
    kept = await store.keep_message(call, await leave(store, call, data), "zh")
    return str(kept.message_id)


def names(file: Path) -> list[str]:
    return subprocess.run(["tar", "tf", file], check=True, capture_output=True, text=True).stdout.split()


async def test_it_holds_database_recordings_and_own_voice_and_tar_reads_it(
    store: Store, leave: Leave, spoken: Spoken, data_dir: Path, tmp_path: Path
) -> None:
    await message(store, leave, spoken(SECOND))
    own = own_folder(data_dir) / "zh" / "greeting"
    own.mkdir(parents=True)
    (own / "1.wav").write_bytes(b"sound")
    assert own_folder(data_dir).name == OWN_VOICE
    manifest = make_backup(data_dir, tmp_path / "one", NOW)
    (recording,) = [file.name for file in (data_dir / "recordings").iterdir()]
    members = {"linekeeper.db", f"recordings/{recording}", "prompts/zh/greeting/1.wav"}
    assert set(manifest.files) == members
    assert set(names(tmp_path / "one")) == {*members, "manifest.json"}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data", "one"]


async def test_it_is_made_while_messages_are_taken(
    store: Store, leave: Leave, spoken: Spoken, data_dir: Path, tmp_path: Path
) -> None:
    await message(store, leave, spoken(SECOND))
    made = threading.Thread(target=make_backup, args=(data_dir, tmp_path / "one", NOW))
    made.start()
    while made.is_alive():
        await message(store, leave, spoken(SECOND))
    assert check_backup(tmp_path / "one", tmp_path).content > 0


async def test_a_recording_that_was_replaced_meanwhile_is_looked_up_again(
    store: Store, leave: Leave, spoken: Spoken, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await message(store, leave, spoken(SECOND))
    (file,) = (data_dir / "recordings").iterdir()
    snapshots = []

    def replaced_after_the_first(database: Path, target: Path) -> None:
        take_snapshot(database, target)
        snapshots.append(target)
        if len(snapshots) == 1:
            file.unlink()

    monkeypatch.setattr(backup_module, "take_snapshot", replaced_after_the_first)
    manifest = make_backup(data_dir, tmp_path / "one", NOW)
    assert len(snapshots) == 2
    # Its row is still there, so this one is really missing; the backup says so and is good without it.
    assert manifest.incomplete == (file.name,)


async def test_one_that_fails_leaves_the_old_one(store: Store, data_dir: Path, tmp_path: Path) -> None:
    make_backup(data_dir, tmp_path / "one", NOW)
    before = (tmp_path / "one").read_bytes()
    await store.close()
    (data_dir / "linekeeper.db").write_bytes(b"no database" * 1000)
    with pytest.raises(StorageError):
        make_backup(data_dir, tmp_path / "one", NOW)
    assert (tmp_path / "one").read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data", "one"]


def test_nothing_to_save_is_a_plain_sentence(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="there are no records in"):
        make_backup(tmp_path, tmp_path / "one", NOW)


async def test_the_newest_is_told_by_content_when_the_clock_was_wrong(
    store: Store, leave: Leave, spoken: Spoken, data_dir: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "stick"
    folder.mkdir()
    past = Stamp("1970-01-01T00:00:07.000+00:00", trusted=False)
    first = add_backup(data_dir, folder, 5, NOW, "20260301-080000")
    await message(store, leave, spoken(SECOND))
    second = add_backup(data_dir, folder, 5, past, "19700101-000007")
    again = add_backup(data_dir, folder, 5, past, "19700101-000007")
    assert [backup.file for backup in backups_in(folder)] == [first.file, second.file, again.file]
    assert again.file.name == "linekeeper-19700101-000007-2.backup"
    newest = newest_good([folder, tmp_path / "missing"], tmp_path)
    assert newest is not None
    assert newest.file == again.file


async def test_so_many_are_kept_and_left_overs_are_removed(store: Store, data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "stick"
    folder.mkdir()
    (folder / "holiday.jpg").write_bytes(b"not ours")
    (folder / ".linekeeper-backup-0a0b0c0d").write_bytes(b"cut short")
    for day in range(1, 5):
        add_backup(data_dir, folder, 2, NOW, f"2026030{day}-080000")
    assert sorted(file.name for file in folder.iterdir()) == [
        "holiday.jpg",
        "linekeeper-20260303-080000.backup",
        "linekeeper-20260304-080000.backup",
    ]


async def test_a_damaged_newest_one_is_passed_over(store: Store, data_dir: Path, tmp_path: Path) -> None:
    good = add_backup(data_dir, tmp_path, 5, NOW, "20260301-080000")
    bad = add_backup(data_dir, tmp_path, 5, NOW, "20260302-080000")
    content = bytearray(bad.file.read_bytes())
    content[3000] ^= 1
    bad.file.write_bytes(content)
    assert read_manifest(bad.file) == bad.manifest
    newest = newest_good([tmp_path], tmp_path)
    assert newest is not None
    assert newest.file == good.file


async def test_two_at_a_time_are_one_too_many(
    store: Store, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(database: Path, target: Path) -> None:
        with pytest.raises(StorageError, match="another backup is being made"):
            make_backup(data_dir, tmp_path / "other", NOW)
        take_snapshot(database, target)

    monkeypatch.setattr(backup_module, "_PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(backup_module, "take_snapshot", meanwhile)
    make_backup(data_dir, tmp_path / "one", NOW)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data", "one"]


async def test_one_that_meets_another_one_waits_for_it(
    store: Store, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = threading.Thread(target=make_backup, args=(data_dir, tmp_path / "other", NOW))

    def meanwhile(database: Path, target: Path) -> None:
        monkeypatch.setattr(backup_module, "take_snapshot", take_snapshot)
        other.start()
        take_snapshot(database, target)

    monkeypatch.setattr(backup_module, "take_snapshot", meanwhile)
    make_backup(data_dir, tmp_path / "one", NOW)
    other.join()
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data", "one", "other"]
