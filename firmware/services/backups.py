"""Backups by command and by timer, and the way back. Each runs as a process of its own, beside the services."""

from __future__ import annotations

import asyncio
import ctypes
import os
import platform
from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo

from firmware.durable_files import plain_errors
from firmware.errors import ConfigurationError, Problem, StorageError
from firmware.mounted_folder import check_mounted
from firmware.ports import Clock
from firmware.services.incident_book import IncidentBook
from firmware.settings import Settings
from firmware.storage.backup import make_backup
from firmware.storage.backup_folder import Backup, add_backup
from firmware.storage.backup_log import BackupNote, log_backup, made_note
from firmware.storage.backup_manifest import Manifest
from firmware.storage.incident_store import IncidentStore
from firmware.storage.restore import Restored, restore_backup
from firmware.storage.stamps import Stamp
from firmware.storage.store_files import DATABASE_FILE

INCIDENT_KIND = "backup"
# Linux's ioprio_set(2), by machine: the C library has no name for it. Class 3 is "idle": calls' writes go first.
_IOPRIO_SET = {"x86_64": 251, "aarch64": 30, "armv7l": 314, "armv6l": 314}
_WHO_PROCESS, _CLASS_IDLE = 1, 3 << 13
_NICENESS = 15


def backup_to(settings: Settings, target: Path, clock: Clock) -> Manifest:
    """One backup under a name of one's own choice. Raises: StorageError."""
    manifest = make_backup(settings.data_dir, target.absolute(), Stamp.now(clock))
    asyncio.run(log_backup(settings.data_dir, clock, made_note(target, manifest)))
    return manifest


def backup_by_schedule(settings: Settings, clock: Clock) -> Backup:
    """The next one in the configured folder; a failure is an incident until one succeeds.

    Raises: StorageError; ConfigurationError where no folder is configured.
    """
    if settings.backup.folder is None:
        raise ConfigurationError([Problem("configuration", 0, "backup.folder is not set; name a folder or a stick")])
    try:
        made = _add(settings, settings.backup.folder, clock)
    except StorageError as error:
        sentence = f"no backup could be made: {error}"
        failure = BackupNote(Stamp.now(clock), "", 0, 0, succeeded=False, summary=sentence)
        _tell(settings, clock, failure, sentence)
        raise
    _tell(settings, clock, made_note(made.file, made.manifest), None)
    return made


def restore_from(settings: Settings, file: Path, clock: Clock) -> Restored:
    """Go back to a backup; no service may run. Raises: StorageError."""
    return restore_backup(file, settings.data_dir, Stamp.now(clock))


def give_way_to_calls() -> None:
    """Ask for little from now on: the lowest priority for processor and disk, where the system knows any."""
    with suppress(OSError):
        os.nice(_NICENESS)
    number = _IOPRIO_SET.get(platform.machine())
    if number is not None:
        ctypes.CDLL(None).syscall(number, _WHO_PROCESS, 0, _CLASS_IDLE)


def _add(settings: Settings, folder: Path, clock: Clock) -> Backup:
    with plain_errors(folder, "plug the stick in again, or try another one"):
        same_disk = settings.backup.same_disk
        check_mounted(folder, settings.data_dir, same_disk=same_disk, section="backup", path_key="folder")
    local = clock.now().astimezone(ZoneInfo(settings.time_zone)).strftime("%Y%m%d-%H%M%S")
    return add_backup(settings.data_dir, folder, settings.backup.keep, Stamp.now(clock), local)


def _tell(settings: Settings, clock: Clock, note: BackupNote, fault: str | None) -> None:
    if (settings.data_dir / DATABASE_FILE).is_file():  # the service makes it, as its own user
        asyncio.run(_tell_once(settings.data_dir, clock, note, fault))


async def _tell_once(data_dir: Path, clock: Clock, note: BackupNote, fault: str | None) -> None:
    await log_backup(data_dir, clock, note)
    incidents = IncidentStore(data_dir, clock)
    book = IncidentBook(incidents, INCIDENT_KIND, INCIDENT_KIND)
    await (book.end() if fault is None else book.begin(fault))
    await incidents.close()
