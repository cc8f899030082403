"""Puts a sound database in the place of a damaged one. Blocking; nothing may have the database open.

The damaged one is put aside under another name, never removed. In its place comes the newest good backup, with
whatever can still be read of the damaged one, else an empty database; recordings stay where they are, and recovery
gives a row to each that has none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from peewee import SqliteDatabase

from firmware.durable_files import plain_errors
from firmware.storage import incident_rows
from firmware.storage.backup_folder import Backup, newest_good
from firmware.storage.backup_layout import RECORDINGS
from firmware.storage.database import connect, plain_database_errors, writable
from firmware.storage.erasure_record import erase_again
from firmware.storage.migrations import migrate
from firmware.storage.numbering import jump_ahead
from firmware.storage.restore import file_stamp, free_name, unpack_database
from firmware.storage.salvage import salvage
from firmware.storage.sequences import UNKNOWN_MARGIN, raise_sequences, readable_sequences
from firmware.storage.stamps import Stamp
from firmware.storage.store_files import DATABASE_FILE, LOCAL_BACKUPS, SIDE_FILES
from firmware.storage.swap import Move, ready_folder, replace_content

INCIDENT_KIND = "database"


def replace_damaged(
    data_dir: Path, backup_folders: Sequence[Path], why: str, make_id: Callable[[], str], now: Stamp
) -> str:
    """Returns what happened as one sentence, which is an open incident in the new database too.

    Raises: StorageError; then the damaged one is still in its place.
    """
    damaged = data_dir / DATABASE_FILE
    with plain_errors(data_dir):
        ready = ready_folder(data_dir)
        aside = free_name(data_dir, f"{DATABASE_FILE}.corrupt-{file_stamp(now)}")
        local = [folder for folder in (data_dir / LOCAL_BACKUPS,) if folder.is_dir()]
    backup = newest_good([*local, *backup_folders], ready)
    sound = ready / DATABASE_FILE
    if backup is not None:
        unpack_database(backup.file, ready)
    with plain_database_errors(sound), closing(_new_shape(sound)) as db:
        db.close()
        jump_ahead(sound)
        saved = salvage(damaged, sound, data_dir / RECORDINGS)
        # A damaged database may tell of fewer numbers than it gave out.
        raise_sequences(sound, readable_sequences(damaged) or {}, UNKNOWN_MARGIN)
        erase_again(sound, data_dir)
        sentence = _sentence(why, aside, backup, saved)
        connect(db)
        with db.atomic():
            incident_rows.open_incident(db, make_id(), INCIDENT_KIND, INCIDENT_KIND, sentence, now)
    moves = [Move(name, f"{aside}{name.removeprefix(DATABASE_FILE)}") for name in (DATABASE_FILE, *SIDE_FILES)]
    replace_content(data_dir, ready, moves)
    return sentence


def _new_shape(file: Path) -> SqliteDatabase:
    db = writable(file)
    connect(db)
    migrate(db)
    return db


def _sentence(why: str, aside: str, backup: Backup | None, saved: int) -> str:
    source = "an empty one" if backup is None else f"the backup of {backup.manifest.made_at}"
    return (
        f"{why}; it is kept as {aside}, and {source} took its place with {saved} records that could still be read: "
        f"requests and marks since then may be missing, recordings are all there, and new numbers are "
        f"{UNKNOWN_MARGIN} higher"
    )
