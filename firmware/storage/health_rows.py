"""How the appliance was, and which backups were made, as records. Each function is the inside of one transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from peewee import SqliteDatabase

from firmware.storage.database import raw
from firmware.storage.stamps import Stamp
from firmware.storage.text import NAME_LIMIT, SENTENCE_LIMIT, bounded


def keep_health(db: SqliteDatabase, health_id: str, body: Mapping[str, Any], now: Stamp, until: str) -> None:
    """Keep it, and forget older ones than `until` that wait nowhere. Raises: ValueError for what is no JSON."""
    text = json.dumps(dict(body), ensure_ascii=False, allow_nan=False)
    connection = raw(db)
    connection.execute(
        "INSERT INTO health (id, at, body, clock_trusted) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (health_id, now.at, text, now.trusted),
    )
    connection.execute(
        "DELETE FROM health WHERE at < ? AND NOT EXISTS "
        "(SELECT 1 FROM outbox WHERE kind = 'health' AND record_id = health.id)",
        (until,),
    )


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
