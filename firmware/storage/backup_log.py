"""Which backups were made, as records that are delivered: whoever watches many appliances sees those without one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from peewee import SqliteDatabase

from firmware.errors import StorageError
from firmware.journal import journal
from firmware.ports import Clock
from firmware.storage.backup_layout import RECORDINGS
from firmware.storage.backup_manifest import Manifest
from firmware.storage.brief_database import BriefDatabase
from firmware.storage.database import raw
from firmware.storage.stamps import IdMaker, Stamp
from firmware.storage.text import NAME_LIMIT, SENTENCE_LIMIT, bounded


@dataclass(frozen=True, slots=True)
class BackupNote:
    """One backup, made or failed. `summary` is a sentence."""

    made: Stamp
    file: str
    byte_count: int
    recordings: int
    succeeded: bool
    summary: str


def note_backup(db: SqliteDatabase, note_id: str, note: BackupNote) -> None:
    """Once, however often it is written."""
    raw(db).execute(
        "INSERT INTO backup_log (id, made_at, file, bytes, recordings, result, summary, clock_trusted) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            note_id,
            note.made.at,
            bounded(note.file, NAME_LIMIT),
            note.byte_count,
            note.recordings,
            "made" if note.succeeded else "failed",
            bounded(note.summary, SENTENCE_LIMIT),
            note.made.trusted,
        ),
    )


def made_note(file: Path, manifest: Manifest) -> BackupNote:
    """A backup that was made and checked."""
    recordings = sum(name.startswith(f"{RECORDINGS}/") for name in manifest.files)
    size = sum(mark.size for mark in manifest.files.values())
    missing = f"; {len(manifest.incomplete)} recordings were missing on the disk" if manifest.incomplete else ""
    made = Stamp(manifest.made_at, manifest.clock_trusted)
    return BackupNote(made, file.name, size, recordings, True, f"opened and checked{missing}")


async def log_backup(data_dir: Path, clock: Clock, note: BackupNote) -> None:
    """Best effort: a backup is as good without. Never raises for the disk."""
    brief = BriefDatabase(data_dir, "backup-log")
    try:
        await brief.write(note_backup, IdMaker(clock)(), note)
    except StorageError as error:
        journal("storage").warning("a backup cannot be noted in the records", error=str(error))
    finally:
        brief.close()
