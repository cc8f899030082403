"""What messages say, written down. Each function is the inside of one transaction."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from peewee import SqliteDatabase

from firmware.storage.models import Message, RecordingRow

# A message of three minutes holds some 600 words; whatever a recogniser makes of noise stays bounded.
_LONGEST_TRANSCRIPT = 20_000


@dataclass(frozen=True, slots=True)
class Untranscribed:
    """A message that nobody has written down yet. `recording_id` tells this recording from a later one."""

    message_id: str
    recording_id: str
    language: str


def next_untranscribed(db: SqliteDatabase, languages: Collection[str]) -> Untranscribed | None:
    """The oldest message in one of the languages that has no transcript."""
    found = (
        Message.select(Message.id, Message.recording_id, Message.language)
        .join(RecordingRow, on=(Message.recording_id == RecordingRow.id))
        .where(Message.transcript.is_null(), Message.language.in_(list(languages)), RecordingRow.released_at.is_null())
        .order_by(Message.number)
        .limit(1)
        .get_or_none(db)
    )
    return Untranscribed(found.id, found.recording_id, str(found.language)) if found else None


def keep_transcript(db: SqliteDatabase, job: Untranscribed, text: str, confidence: float) -> None:
    """Written down; nothing happens where the caller has recorded again meanwhile."""
    Message.update(transcript=text[:_LONGEST_TRANSCRIPT], transcript_confidence=confidence).where(
        Message.id == job.message_id, Message.recording_id == job.recording_id
    ).execute(db)
