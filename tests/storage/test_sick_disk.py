"""A disk that no longer answers, made by freezing a real file system: the store hangs, and says that it is the disk."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.clock import SystemClock
from firmware.storage.store import Store


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """An ext4 file system of its own."""
    image, place = tmp_path / "disk.img", tmp_path / "disk"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(32 * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    mounted = subprocess.run(["mount", "-o", "loop", image, place], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(
            f"no file system can be mounted, so a sick disk was NOT tried; run as root ({mounted.stderr.strip()})"
        )
    yield place
    subprocess.run(["umount", place], check=True)


async def test_disk_that_does_not_answer_is_told_from_a_hang(disk: Path) -> None:
    store = Store(disk / "data", SystemClock())
    await store.open()
    await store.answers()
    assert not store.waits_for_disk
    subprocess.run(["fsfreeze", "--freeze", disk], check=True)
    try:
        writing = asyncio.create_task(store.open_incident("modem", "front", "gone"))
        probing = asyncio.create_task(store.answers())
        async with asyncio.timeout(10):
            while not store.waits_for_disk:
                await asyncio.sleep(0.01)
        assert not writing.done()
        assert not probing.done()
    finally:
        subprocess.run(["fsfreeze", "--unfreeze", disk], check=True)
    await asyncio.gather(writing, probing)
    assert not store.waits_for_disk
    await store.close()
