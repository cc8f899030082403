"""Brings a data folder back to a backup. Blocking; no service may run meanwhile.

What was there is put aside, never removed. The next start recovers and migrates as after any other stop.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from firmware.durable_files import FOLDER_MODE, new_file, plain_errors
from firmware.errors import StorageError
from firmware.storage.backup_check import check_backup, open_backup, proved_chunks, told_of
from firmware.storage.backup_layout import OWN_VOICE, RECORDINGS
from firmware.storage.backup_manifest import Manifest
from firmware.storage.database import plain_database_errors
from firmware.storage.erasure_record import erase_again
from firmware.storage.numbering import jump_ahead
from firmware.storage.ownership import Ownership
from firmware.storage.sequences import UNKNOWN_MARGIN, raise_sequences, readable_sequences
from firmware.storage.snapshot import recordings_of
from firmware.storage.stamps import Stamp
from firmware.storage.store_files import DATABASE_FILE, SIDE_FILES
from firmware.storage.swap import Move, finish_replacing, ready_folder, replace_content


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put in place, and where what was there before is kept; None where there was nothing."""

    manifest: Manifest
    aside: Path | None


def restore_backup(file: Path, data_dir: Path, now: Stamp) -> Restored:
    """Check the backup, unpack it beside what is there, and change over at one instant.

    Numbers that callers were told stay given out, and what was erased here stays erased.
    Raises: StoreTaken, BackupUnusable, DiskFull, StorageError; then everything is what it was.
    """
    ownership = Ownership(data_dir)
    ownership.take()
    try:
        finish_replacing(data_dir)
        with plain_errors(data_dir):
            ready = ready_folder(data_dir)
        manifest = check_backup(file, ready)
        unpack_database(file, ready)
        with plain_database_errors(ready / DATABASE_FILE):
            jump_ahead(ready / DATABASE_FILE)
        erase_again(ready / DATABASE_FILE, data_dir)
        _unpack_the_rest(file, ready)
        _keep_numbers(data_dir, ready)
        with plain_errors(data_dir):
            had = (data_dir / DATABASE_FILE).exists()
            aside = free_name(data_dir, f"before-restore-{file_stamp(now)}")
        items = (DATABASE_FILE, *SIDE_FILES, *(() if manifest.database_only else (RECORDINGS, OWN_VOICE)))
        replace_content(data_dir, ready, [Move(item, f"{aside}/{item}") for item in items])
        return Restored(manifest, data_dir / aside if had else None)
    except StorageError:
        finish_replacing(data_dir)
        raise
    finally:
        ownership.release()


def unpack_database(file: Path, ready: Path) -> None:
    """Only the database of a checked backup. Raises: BackupUnusable, StorageError."""
    with told_of(file), file.open("rb") as archive:
        manifest, members = open_backup(archive)
        with new_file(ready / DATABASE_FILE) as target:
            target.writelines(proved_chunks(archive, members[DATABASE_FILE], manifest))


def file_stamp(now: Stamp) -> str:
    """A moment as part of a file's name, in UTC."""
    return now.at[:19].replace("-", "").replace(":", "").replace("T", "-")


def free_name(folder: Path, stem: str, suffix: str = "") -> str:
    """The name, or the first with -2, -3, ... in it that nothing has: a clock may tell one time twice."""
    number, free = 1, f"{stem}{suffix}"
    while (folder / free).exists():
        number += 1
        free = f"{stem}-{number}{suffix}"
    return free


def _unpack_the_rest(file: Path, ready: Path) -> None:
    wanted = {f"{RECORDINGS}/{name}" for name in recordings_of(ready / DATABASE_FILE)}
    with told_of(file), file.open("rb") as archive:
        manifest, members = open_backup(archive)
        if not manifest.database_only:
            (ready / RECORDINGS).mkdir(mode=FOLDER_MODE)
        for name, member in members.items():
            # A recording without a row was replaced or erased while the backup was made: it must not come back.
            if name in wanted or name.startswith(f"{OWN_VOICE}/"):
                (ready / name).parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
                with new_file(ready / name) as target:
                    target.writelines(proved_chunks(archive, member, manifest))


def _keep_numbers(data_dir: Path, ready: Path) -> None:
    present = data_dir / DATABASE_FILE
    given_out = readable_sequences(present)
    unknown = given_out is None and present.exists()
    with plain_database_errors(ready / DATABASE_FILE):
        raise_sequences(ready / DATABASE_FILE, given_out or {}, UNKNOWN_MARGIN if unknown else 0)
