"""The backups in a folder: their names, their order, which one is newest and good, and which ones may go. Blocking.

Names tell a clock's time, and a clock may have been wrong: the order is that of `Manifest.order`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from firmware.durable_files import make_folder, plain_errors, sync_folder
from firmware.errors import StorageError
from firmware.journal import journal
from firmware.storage.backup import make_backup
from firmware.storage.backup_check import check_backup, read_manifest
from firmware.storage.backup_manifest import Manifest
from firmware.storage.restore import free_name
from firmware.storage.stamps import Stamp

_NAME = re.compile(r"linekeeper-\d{8}-\d{6}(-\d+)?\.backup")
_log = journal("storage")


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup by what it says of itself; whether it is good, only reading all of it tells."""

    file: Path
    manifest: Manifest


def backups_in(folder: Path) -> list[Backup]:
    """The oldest first. What cannot be read at all is left out, and left alone. Raises: StorageError."""
    found = []
    with plain_errors(folder, "plug the stick in, or correct backup.folder"):
        files = sorted(file for file in folder.iterdir() if _NAME.fullmatch(file.name))
    for file in files:
        try:
            found.append(Backup(file, read_manifest(file)))
        except StorageError as error:
            _log.warning("a backup cannot be used", file=str(file), error=str(error))
    return sorted(found, key=lambda backup: backup.manifest.order)


def add_backup(
    data_dir: Path, folder: Path, keep: int, now: Stamp, local_stamp: str, *, database_only: bool = False
) -> Backup:
    """Make the next one, checked; then remove older ones beyond `keep`. `local_stamp` is YYYYMMDD-HHMMSS.

    Raises: StorageError; then no backup was removed.
    """
    earlier = backups_in(folder)
    sequence = 1 + max((backup.manifest.sequence for backup in earlier), default=0)
    with plain_errors(folder, "plug the stick in again, or try another one"):
        target = folder / free_name(folder, f"linekeeper-{local_stamp}", ".backup")
    manifest = make_backup(data_dir, target, now, sequence, database_only=database_only)
    _remove([backup.file for backup in earlier[: max(0, len(earlier) + 1 - keep)]])
    return Backup(target, manifest)


def newest_good(folders: Iterable[Path], work_folder: Path) -> Backup | None:
    """The newest that passes the whole check; None where there is none. Never raises for a bad one."""
    found: list[Backup] = []
    for folder in folders:
        try:
            found += backups_in(folder)
        except StorageError as error:
            _log.warning("backups cannot be looked for", folder=str(folder), error=str(error))
    for backup in sorted(found, key=lambda backup: backup.manifest.order, reverse=True):
        try:
            check_backup(backup.file, work_folder)
        except StorageError as error:
            _log.warning("a backup cannot be used", file=str(backup.file), error=str(error))
        else:
            return backup
    return None


def make_local_folder(folder: Path) -> None:
    """Raises: StorageError."""
    with plain_errors(folder):
        make_folder(folder)


def _remove(files: list[Path]) -> None:
    for file in files:
        with plain_errors(file):
            file.unlink(missing_ok=True)
            sync_folder(file.parent)
