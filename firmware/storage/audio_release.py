"""Which audio may go because another place has it. Each function is the inside of one transaction."""

from __future__ import annotations

from peewee import SqliteDatabase

from firmware.storage.database import raw

# Some route delivers audio, nothing of its history is left to queue, and no route waits for this recording or for a
# message that it belongs to. A far end said that it has the audio. What a clock that was not set made years old, is as
# old as its delivery.
_REMOVABLE = """
    SELECT id, file FROM recording
    WHERE released_at IS NULL AND delivered_at IS NOT NULL AND recorded_at < ?1
    AND (clock_trusted OR delivered_at < ?1)
    AND EXISTS (SELECT 1 FROM outbox_subscription WHERE kind = 'recording')
    AND NOT EXISTS (SELECT 1 FROM outbox_subscription WHERE history_after IS NOT NULL)
    AND NOT EXISTS (SELECT 1 FROM outbox WHERE kind = 'recording' AND record_id = recording.id)
    AND NOT EXISTS (
        SELECT 1 FROM message JOIN outbox ON outbox.kind = 'message' AND record_id = message.id
        WHERE recording_id = recording.id
    )
    ORDER BY recorded_at, id LIMIT ?2
"""


def release(db: SqliteDatabase, before: str, most: int, now: str) -> list[str]:
    """Give up the oldest delivered files that were recorded before a moment; returns their names.

    They are noted for removal: a cut between the two must not bring them back.
    """
    connection = raw(db)
    rows = connection.execute(_REMOVABLE, (before, most)).fetchall()
    connection.executemany("UPDATE recording SET released_at = ? WHERE id = ?", [(now, one) for one, _ in rows])
    connection.executemany("INSERT OR IGNORE INTO doomed_file (file) VALUES (?)", [(file,) for _, file in rows])
    return [file for _, file in rows]


def note_released(db: SqliteDatabase, file: str, now: str) -> None:
    """The file is gone for good; also in a database that a backup gave, which does not know."""
    connection = raw(db)
    connection.execute("UPDATE recording SET released_at = ? WHERE file = ? AND released_at IS NULL", (now, file))
    connection.execute("DELETE FROM doomed_file WHERE file = ?", (file,))
