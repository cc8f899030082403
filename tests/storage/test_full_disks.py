"""A disk that gets full in the middle of a backup or a restore: told in a sentence, and everything is what it was."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from firmware.errors import DiskFull
from firmware.events import CallerId
from firmware.storage.backup import make_backup
from firmware.storage.backup_check import check_backup
from firmware.storage.backup_folder import add_backup
from firmware.storage.restore import restore_backup
from firmware.storage.stamps import Stamp
from firmware.storage.store import Store

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")

NOW = Stamp("2026-03-01T08:00:00.000+00:00", trusted=True)
SECOND = 8000
Spoken = Callable[..., bytes]
Leave = Callable[..., Any]
MakeStore = Callable[..., Store]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def leave_room(folder: Path, room: int) -> None:
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    (folder / "other").write_bytes(bytes(max(0, free - room)))


def everything(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


async def records_of(store: Store, leave: Leave, data: bytes, count: int = 1) -> None:
    await store.open()
    for _ in range(count):
        call = await store.call_offered("front", CallerId("13800138000"))
        await store.keep_message(call, await leave(store, call, data), "zh")
    await store.close()


@pytest.mark.parametrize("room", [0, 50_000, 150_000, 250_000])
async def test_a_full_stick_keeps_its_older_backups(
    make_store: MakeStore, leave: Leave, spoken: Spoken, data_dir: Path, small_disk: Path, room: int
) -> None:
    await records_of(make_store(), leave, spoken(SECOND))
    older = add_backup(data_dir, small_disk, 1, NOW, "20260301-080000")
    await records_of(make_store(), leave, spoken(8 * SECOND), 4)
    leave_room(small_disk, room)
    before = everything(small_disk)
    with pytest.raises(DiskFull):
        add_backup(data_dir, small_disk, 1, NOW, "20260302-080000")
    assert everything(small_disk) == before
    assert check_backup(older.file, data_dir) == older.manifest


@pytest.mark.parametrize("room", [20_000, 150_000, 250_000])
async def test_a_restore_without_room_changes_nothing(
    leave: Leave, spoken: Spoken, clock: Any, tmp_path: Path, small_disk: Path, room: int
) -> None:
    big = tmp_path / "data"
    await records_of(Store(big, clock, keep_free_megabytes=0), leave, spoken(20 * SECOND), 2)
    make_backup(big, tmp_path / "one", NOW)
    data_dir = small_disk / "data"
    await records_of(Store(data_dir, clock, keep_free_megabytes=0), leave, spoken(SECOND))
    leave_room(small_disk, room)
    before = everything(small_disk)
    with pytest.raises(DiskFull):
        restore_backup(tmp_path / "one", data_dir, NOW)
    assert everything(small_disk) == before
    (small_disk / "other").unlink()
    store = Store(data_dir, clock, keep_free_megabytes=0)
    summary = await store.open()
    assert (summary.missing_files, summary.messages) == ([], [])
    await store.close()
