"""What the doctor says of records and backups: a plain sentence each, and whether it is good."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from firmware.errors import StorageError
from firmware.services.finding import Finding
from firmware.settings import Settings
from firmware.storage.backup_folder import backups_in
from firmware.storage.queries import Records
from firmware.storage.store_files import DATABASE_FILE

# A week, and a day for a stick that was forgotten.
_OLDEST_BACKUP = timedelta(days=8)


def examine_records(settings: Settings) -> Iterator[Finding]:
    """Look at them; never raises for what it finds."""
    if (settings.data_dir / DATABASE_FILE).is_file():
        yield _database(settings)
    if settings.backup.folder is not None:
        yield _backups(settings.backup.folder)


def unwritable_sentence(folder: Path) -> str:
    """Why a data folder takes nothing, and what to do."""
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        return f"{folder} is on a read-only disk; look into the kernel's log, check or replace the card, and restart"
    return f"{folder} is not writable for this user; run as the service's user"


def _database(settings: Settings) -> Finding:
    aside = sorted(file.name for file in settings.data_dir.glob(f"{DATABASE_FILE}.corrupt-*"))
    try:
        with Records(settings.data_dir, ZoneInfo(settings.time_zone)) as records:
            newest = records.incidents(limit=200)
    except StorageError as error:
        return Finding("records", False, str(error))
    for incident in newest:
        if incident["kind"] == "database" and incident["ended_at"] is None:
            return Finding("records", False, str(incident["summary"]))
    note = f"; {aside[-1]} is a damaged database that was put aside, remove it once nobody needs it" if aside else ""
    return Finding("records", True, f"can be read{note}")


def _backups(folder: Path) -> Finding:
    good, sentence = _judged(folder)
    return Finding("backup", good, sentence)


def _judged(folder: Path) -> tuple[bool, str]:
    try:
        found = backups_in(folder)
    except StorageError:
        return False, f"the folder {folder} cannot be read; plug the stick in, or correct backup.folder"
    if not found:
        return False, f"there is no backup in {folder} yet; `linekeeper backup --scheduled` makes one"
    newest = found[-1]
    age = datetime.now(UTC) - datetime.fromisoformat(newest.manifest.made_at)
    told = f"{newest.file.name}, {age.days} days old"
    good = age < _OLDEST_BACKUP
    return good, told if good else f"{told}; look at the weekly timer"
