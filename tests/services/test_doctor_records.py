"""What a technician reads about records, their disk and backups."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware.clock import SystemClock
from firmware.services.backups import backup_by_schedule
from firmware.services.doctor_records import examine_records, unwritable_sentence
from firmware.settings import Settings, parse_settings
from firmware.storage.backup_folder import add_backup
from firmware.storage.stamps import Stamp
from firmware.storage.store import Store


@pytest.fixture
async def configured(tmp_path: Path) -> Callable[[str], Settings]:
    store = Store(tmp_path / "data", SystemClock(), keep_free_megabytes=0)
    await store.open()
    await store.close()

    def make(backup: str) -> Settings:
        text = (
            f"data_dir: {tmp_path}/data\nrun_dir: {tmp_path}/run\nlines: [{{name: a, port: auto}}]\nbackup: {backup}\n"
        )
        return parse_settings("test", text)

    return make


def told(settings: Settings) -> dict[str, tuple[bool, str]]:
    return {found.subject: (found.good, found.sentence) for found in examine_records(settings)}


async def test_sound_records_without_backups_are_good(configured: Callable[[str], Settings]) -> None:
    assert told(configured("{}")) == {"records": (True, "can be read")}


async def test_the_age_of_the_newest_backup_is_judged(configured: Callable[[str], Settings], tmp_path: Path) -> None:
    settings = configured(f"{{folder: {tmp_path}/stick, same_disk: true}}")
    assert "plug the stick in" in told(settings)["backup"][1]
    (tmp_path / "stick").mkdir()
    assert "there is no backup" in told(settings)["backup"][1]
    old = Stamp("2026-01-01T00:00:00.000+00:00", trusted=True)
    add_backup(tmp_path / "data", tmp_path / "stick", 5, old, "20260101-000000")
    good, sentence = told(settings)["backup"]
    assert (good, "look at the weekly timer" in sentence) == (False, True)
    await asyncio.to_thread(backup_by_schedule, settings, SystemClock())
    assert told(settings)["backup"][0]


async def test_a_replaced_database_is_told(configured: Callable[[str], Settings], tmp_path: Path) -> None:
    (tmp_path / "data" / "linekeeper.db").write_bytes(b"nonsense" * 3000)
    good, sentence = told(configured("{}"))["records"]
    assert (good, "damaged" in sentence) == (False, True)
    store = Store(tmp_path / "data", SystemClock(), keep_free_megabytes=0)
    await store.open()
    await store.close()
    good, sentence = told(configured("{}"))["records"]
    assert (good, "is kept as linekeeper.db.corrupt-" in sentence) == (False, True)
    await store_again(tmp_path)
    good, sentence = told(configured("{}"))["records"]
    assert (good, "was put aside, remove it" in sentence) == (True, True)


async def store_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "data", SystemClock(), keep_free_megabytes=0)
    await store.open()
    await store.close()


def test_a_read_only_disk_is_no_question_of_users(tmp_path: Path) -> None:
    assert "not writable for this user" in unwritable_sentence(tmp_path)
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(tmp_path)], check=True)
    try:
        assert "read-only disk" in unwritable_sentence(tmp_path)
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)
