"""Backups by timer: into the folder that is really there, told as an incident where that fails."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from firmware.clock import SystemClock
from firmware.errors import ConfigurationError, StorageError
from firmware.ports import Route
from firmware.services.backups import backup_by_schedule, backup_to
from firmware.settings import Settings, parse_settings
from firmware.storage.backup_check import check_backup
from firmware.storage.outbox import DiskOutbox
from firmware.storage.queries import Records
from firmware.storage.store import Store

CLOCK = SystemClock()


@pytest.fixture
def configured(tmp_path: Path) -> Callable[[str], Settings]:
    def make(backup: str) -> Settings:
        text = (
            f"data_dir: {tmp_path}/data\nrun_dir: {tmp_path}/run\nlines: [{{name: a, port: auto}}]\nbackup: {backup}\n"
        )
        return parse_settings("test", text)

    return make


@pytest.fixture
async def records(tmp_path: Path) -> Any:
    store = Store(tmp_path / "data", CLOCK, keep_free_megabytes=0)
    await store.open()
    yield lambda: _incidents(tmp_path / "data")
    await store.close()


def _incidents(data_dir: Path) -> list[tuple[str, bool]]:
    with Records(data_dir, ZoneInfo("UTC")) as read:
        return [(row["summary"], row["ended_at"] is None) for row in read.incidents() if row["kind"] == "backup"]


async def test_a_missing_stick_is_an_incident_until_a_backup_succeeds(
    configured: Callable[[str], Settings], records: Callable[[], Any], tmp_path: Path
) -> None:
    settings = configured(f"{{folder: {tmp_path}/stick, same_disk: true}}")
    for _ in range(2):
        with pytest.raises(StorageError, match="plug the stick in"):
            await asyncio.to_thread(backup_by_schedule, settings, CLOCK)
    ((summary, is_open),) = records()
    assert is_open
    assert "plug the stick in" in summary
    (tmp_path / "stick").mkdir()
    made = await asyncio.to_thread(backup_by_schedule, settings, CLOCK)
    assert check_backup(made.file, tmp_path) == made.manifest
    assert records() == [(summary, False)]


async def test_the_empty_place_of_a_stick_is_no_stick(
    configured: Callable[[str], Settings], records: Callable[[], Any], tmp_path: Path
) -> None:
    (tmp_path / "stick").mkdir()
    with pytest.raises(StorageError, match="same disk as the records"):
        await asyncio.to_thread(backup_by_schedule, configured(f"{{folder: {tmp_path}/stick}}"), CLOCK)
    assert list((tmp_path / "stick").iterdir()) == []


async def test_a_stick_that_fails_is_an_incident_too(
    configured: Callable[[str], Settings], records: Callable[[], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stick that was pulled out answers nothing but EIO, from whichever call on."""
    (tmp_path / "stick").mkdir()
    settings = configured(f"{{folder: {tmp_path}/stick, same_disk: true}}")
    whole, whole_iterdir = Path.stat, Path.iterdir

    def pulled(path: Path, **options: Any) -> Any:
        if "stick" in path.parts:
            raise OSError(errno.EIO, "Input/output error")
        return whole(path, **options)

    def no_list(path: Path) -> Any:
        if "stick" in path.parts:
            raise OSError(errno.EIO, "Input/output error")
        return whole_iterdir(path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", pulled)
        with pytest.raises(StorageError, match="plug the stick in"):
            await asyncio.to_thread(backup_by_schedule, settings, CLOCK)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "iterdir", no_list)
        with pytest.raises(StorageError, match="plug the stick in"):
            await asyncio.to_thread(backup_by_schedule, settings, CLOCK)
    ((summary, is_open),) = records()
    assert (is_open, "Input/output error" in summary) == (True, True)


async def test_no_folder_is_a_mistake_of_the_configuration(
    configured: Callable[[str], Settings], records: Callable[[], Any]
) -> None:
    with pytest.raises(ConfigurationError, match=r"backup\.folder is not set"):
        await asyncio.to_thread(backup_by_schedule, configured("{keep: 3}"), CLOCK)
    assert records() == []


async def test_one_by_command_goes_where_it_is_told(
    configured: Callable[[str], Settings], records: Callable[[], Any], tmp_path: Path
) -> None:
    manifest = await asyncio.to_thread(backup_to, configured("{}"), tmp_path / "one", CLOCK)
    assert check_backup(tmp_path / "one", tmp_path) == manifest
    assert (tmp_path / "one").stat().st_mode & 0o077 == 0o040 & ~_umask()


def _umask() -> int:
    import os

    mask = os.umask(0)
    os.umask(mask)
    return mask


async def test_every_backup_is_a_record_that_is_delivered(
    configured: Callable[[str], Settings], records: Callable[[], Any], tmp_path: Path
) -> None:
    outbox = DiskOutbox(tmp_path / "data", CLOCK)
    await outbox.use_routes([Route("collector", frozenset({"backup"}))])
    settings = configured(f"{{folder: {tmp_path}/stick, same_disk: true}}")
    with pytest.raises(StorageError):
        await asyncio.to_thread(backup_by_schedule, settings, CLOCK)
    (tmp_path / "stick").mkdir()
    made = await asyncio.to_thread(backup_by_schedule, settings, CLOCK)
    bodies = [entry.body or {} for entry in await outbox.take("collector", 200)]
    assert [body["result"] for body in bodies] == ["failed", "made"]
    assert "plug the stick in" in bodies[0]["summary"]
    assert (bodies[1]["file"], bodies[1]["recordings"]) == (made.file.name, 0)
    assert bodies[1]["bytes"] > 4096
    outbox.close()
