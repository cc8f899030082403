"""Going back to a backup: everything of then, nothing of now lost, no number twice."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from firmware.errors import StorageError, StoreTaken
from firmware.events import CallerId
from firmware.storage import swap
from firmware.storage.backup import make_backup
from firmware.storage.restore import restore_backup
from firmware.storage.stamps import Stamp
from firmware.storage.store import Store
from firmware.storage.swap import Move, finish_replacing, ready_folder, replace_content

NOW = Stamp("2026-03-01T08:00:00.000+00:00", trusted=True)
SECOND = 8000
Spoken = Callable[..., bytes]
Leave = Callable[..., Any]
MakeStore = Callable[..., Store]


async def message(store: Store, leave: Leave, data: bytes) -> tuple[str, int]:
    call = await store.call_offered("front", CallerId("13800138000"))
    kept = await store.keep_message(call, await leave(store, call, data), "zh")
    return kept.message_id, kept.number


async def test_a_restore_brings_back_then_keeps_now_aside_and_gives_no_number_twice(
    make_store: MakeStore, leave: Leave, spoken: Spoken, data_dir: Path, tmp_path: Path
) -> None:
    store = make_store()
    await store.open()
    then, _ = await message(store, leave, spoken(SECOND, 1))
    make_backup(data_dir, tmp_path / "one", NOW)
    _, later = await message(store, leave, spoken(SECOND, 2))
    await store.close()
    restored = restore_backup(tmp_path / "one", data_dir, NOW)
    store = make_store()
    summary = await store.open()
    assert (summary.missing_files, summary.problems, summary.messages) == ([], [], [])
    assert len(await store.message_audio(then)) == 2 * SECOND
    _, number = await message(store, leave, spoken(SECOND, 3))
    assert number == later + 1
    await store.close()
    assert restored.aside == data_dir / "before-restore-20260301-080000"
    assert len(list((restored.aside / "recordings").iterdir())) == 2
    assert (restored.aside / "linekeeper.db").is_file()


async def test_numbers_skip_ahead_where_the_old_database_cannot_tell(
    make_store: MakeStore, leave: Leave, spoken: Spoken, data_dir: Path, tmp_path: Path
) -> None:
    store = make_store()
    await store.open()
    await message(store, leave, spoken(SECOND, 1))
    make_backup(data_dir, tmp_path / "one", NOW)
    await store.close()
    (data_dir / "linekeeper.db").write_bytes(b"rubbish" * 999)
    restore_backup(tmp_path / "one", data_dir, NOW)
    store = make_store()
    await store.open()
    assert (await message(store, leave, spoken(SECOND, 3)))[1] == 1002
    await store.close()


async def test_a_folder_that_a_service_owns_is_refused(store: Store, data_dir: Path, tmp_path: Path) -> None:
    make_backup(data_dir, tmp_path / "one", NOW)
    with pytest.raises(StoreTaken, match="stop it first"):
        restore_backup(tmp_path / "one", data_dir, NOW)


async def test_an_empty_folder_takes_a_backup(
    store: Store, make_store: MakeStore, data_dir: Path, tmp_path: Path
) -> None:
    make_backup(data_dir, tmp_path / "one", NOW)
    await store.close()
    shutil.rmtree(data_dir)
    assert restore_backup(tmp_path / "one", data_dir, NOW).aside is None
    again = make_store()
    assert (await again.open()).clean
    await again.close()


def content(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("steps", range(8))
def test_a_change_that_was_cut_short_is_carried_to_its_end(
    tmp_path: Path, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("db", "db-wal", "folder/one"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("old")
    ready = ready_folder(tmp_path)
    for name in ("db", "folder/two", "fresh/one"):
        (ready / name).parent.mkdir(exist_ok=True)
        (ready / name).write_text("new")
    done: list[Path] = []
    rename = swap._rename

    def cut_after_some(source: Path, target: Path) -> None:
        if len(done) == steps:
            raise StorageError("cut")
        done.append(target)
        rename(source, target)

    monkeypatch.setattr(swap, "_rename", cut_after_some)
    moves = [Move(item, f"aside/{item}") for item in ("db-wal", "db", "folder", "fresh")]
    if steps < 6:
        with pytest.raises(StorageError, match="cut"):
            replace_content(tmp_path, ready, moves)
    else:
        replace_content(tmp_path, ready, moves)
    monkeypatch.setattr(swap, "_rename", rename)
    assert finish_replacing(tmp_path) is (steps < 6)
    old = {"aside/db": "old", "aside/db-wal": "old", "aside/folder/one": "old"}
    assert content(tmp_path) == {"db": "new", "folder/two": "new", "fresh/one": "new", **old}


def test_what_was_not_decided_is_forgotten(tmp_path: Path) -> None:
    (ready_folder(tmp_path) / "db").write_text("new")
    assert finish_replacing(tmp_path) is False
    assert content(tmp_path) == {}


def test_a_decision_nobody_can_read_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "replacing.json").write_text(json.dumps({"ready": "x", "moves": [["a"]]}))
    with pytest.raises(StorageError, match="cannot be read"):
        finish_replacing(tmp_path)


@pytest.mark.parametrize(("folder", "file"), [(0o2770, 0o660), (0o2750, 0o640), (0o700, 0o600)])
async def test_who_may_write_into_the_folder_may_write_the_restored_database_at_once(
    store: Store, data_dir: Path, tmp_path: Path, folder: int, file: int
) -> None:
    # Whoever restores has a umask of his own.
    make_backup(data_dir, tmp_path / "one", NOW)
    target = tmp_path / "other"
    target.mkdir()
    target.chmod(folder)
    umask = os.umask(0o027)
    try:
        restore_backup(tmp_path / "one", target, NOW)
    finally:
        os.umask(umask)
    assert stat.S_IMODE((target / "linekeeper.db").stat().st_mode) == file


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to others")
async def test_what_root_restores_belongs_to_whom_it_belonged_before(
    make_store: MakeStore, leave: Leave, spoken: Spoken, data_dir: Path, tmp_path: Path
) -> None:
    store = make_store()
    await store.open()
    await message(store, leave, spoken(SECOND, 1))
    await store.close()
    make_backup(data_dir, tmp_path / "one", NOW)
    group, user = 12345, 54321
    for path in (data_dir, *data_dir.rglob("*")):
        os.chown(path, user, group)
    os.chown(data_dir, 0, group)
    restore_backup(tmp_path / "one", data_dir, NOW)
    for path in (data_dir / "linekeeper.db", *(data_dir / "recordings").rglob("*"), data_dir / "recordings"):
        assert (path.stat().st_uid, path.stat().st_gid) == (user, group), path


async def test_the_group_may_do_with_what_is_restored_what_it_might_before(
    make_store: MakeStore, leave: Leave, spoken: Spoken, data_dir: Path, tmp_path: Path
) -> None:
    store = make_store()
    await store.open()
    await message(store, leave, spoken(SECOND, 1))
    make_backup(data_dir, tmp_path / "one", NOW)
    await store.close()
    (data_dir / "linekeeper.db").chmod(0o660)
    (data_dir / "recordings").chmod(0o2750)
    if os.geteuid() == 0:
        for item in ("linekeeper.db", "recordings"):
            os.chown(data_dir / item, 4321, 8765)
    restore_backup(tmp_path / "one", data_dir, NOW)
    database, recordings = (data_dir / "linekeeper.db").stat(), (data_dir / "recordings").stat()
    assert (database.st_mode & 0o7777, recordings.st_mode & 0o7777) == (0o660, 0o2750)
    if os.geteuid() == 0:
        assert {(one.st_uid, one.st_gid) for one in (database, recordings)} == {(4321, 8765)}


def test_no_log_of_the_old_database_ever_lies_beside_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite would take its pages for the new one's. A log that appears in between belongs to the old one as well."""
    for name in ("linekeeper.db", "linekeeper.db-wal", "linekeeper.db-shm"):
        (tmp_path / name).write_text("old")
    ready = ready_folder(tmp_path)
    (ready / "linekeeper.db").write_text("new")
    rename = swap._rename

    def watched(source: Path, target: Path) -> None:
        rename(source, target)
        if target.name == "aside-shm":
            (tmp_path / "linekeeper.db-wal").write_text("by whoever has the old one open")
        if (tmp_path / "linekeeper.db").exists() and (tmp_path / "linekeeper.db").read_text() == "new":
            assert not list(tmp_path.glob("linekeeper.db-*"))

    monkeypatch.setattr(swap, "_rename", watched)
    items = ("linekeeper.db-wal", "linekeeper.db-shm", "linekeeper.db")
    replace_content(tmp_path, ready, [Move(item, item.replace("linekeeper.db", "aside")) for item in items])
    assert (tmp_path / "linekeeper.db").read_text() == "new"
    assert {(tmp_path / name).read_text() for name in ("aside", "aside-wal", "aside-shm")} == {"old"}
