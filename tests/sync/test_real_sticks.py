"""A folder that is a disk of its own, full, read-only, taken away and changed for another. Needs the right to mount."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.errors import FarEndUnreachable
from firmware.ports import Outcome
from firmware.sync.folder_uplink import FolderUplink
from tests.sync.records import APPLIANCE, blob_in, entry


def mount(folder: Path, *options: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "linekeeper-test", str(folder)]
    return subprocess.run(command, capture_output=True, check=False, timeout=20).returncode == 0


def unmount(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", str(folder)], capture_output=True, check=False, timeout=20)


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "stick"
    folder.mkdir()
    if not mount(folder, "size=300k"):
        pytest.skip("this test needs the right to mount")
    yield folder
    unmount(folder)


async def test_a_stick_that_fills_up_goes_read_only_is_pulled_and_is_changed_for_another(
    stick: Path, tmp_path: Path
) -> None:
    blobs = [blob_in(tmp_path, bytes([seq]) * 100_000) for seq in range(1, 5)]
    entries = [entry(seq, kind="recording", blob=blob) for seq, blob in enumerate(blobs, 1)]
    folder = FolderUplink(stick, APPLIANCE, tmp_path)
    stored = await folder.deliver(entries)
    assert [each.seq for each in stored] == [1, 2]
    with pytest.raises(FarEndUnreachable, match="is full"):
        await folder.deliver(entries[2:])
    assert not list(stick.rglob(".*"))
    assert mount(stick, "remount", "ro")
    with pytest.raises(FarEndUnreachable, match="read-only"):
        await folder.deliver(entries[2:])
    unmount(stick)
    with pytest.raises(FarEndUnreachable, match="same disk"):
        await folder.deliver(entries[2:])
    assert list(stick.iterdir()) == []
    assert mount(stick, "size=1m")
    assert {each.outcome for each in await folder.deliver(entries[2:])} == {Outcome.STORED}
    names = {file.name for file in stick.rglob("audio/*")}
    assert names == {f"{blob.sha256}.wav" for blob in blobs[2:]}
    await folder.close()
