"""Recordings and messages in the database. Each function is the inside of one transaction."""

from __future__ import annotations

from peewee import SqliteDatabase

from firmware.errors import RecordNotFound, StorageError
from firmware.events import MessageKept, RecordingEnd
from firmware.ports import StoredTake
from firmware.storage.call_rows import find_call
from firmware.storage.models import DoomedFile, Message, RecordingRow
from firmware.storage.recording_file import RecordingName
from firmware.storage.stamps import Stamp
from firmware.storage.text import NAME_LIMIT, WORD_LIMIT, bounded

# Not the caller ended these; the office should know that something may be missing.
_CUT_BY_US = {RecordingEnd.INTERRUPTED, RecordingEnd.FAULT, RecordingEnd.DISK_FULL}


def insert_recording(db: SqliteDatabase, stored: StoredTake, recorded: Stamp) -> str:
    """A durable file gets its row; returns its id, also when it has the row already. Raises: StorageError."""
    name = name_of(stored)
    if RecordingRow.select().where(RecordingRow.id == name.recording_id).exists(db):
        return name.recording_id
    take = stored.take
    RecordingRow.insert(
        id=name.recording_id,
        call_id=name.call_id,
        purpose=name.purpose,
        file=name.final,
        sample_format=stored.sample_format.value,
        total_samples=take.total_samples,
        kept_samples=take.kept_samples,
        end=take.end.value,
        evidence=take.evidence.value if take.evidence else None,
        voiced=take.voiced,
        recorded_at=recorded.at,
        clock_trusted=recorded.trusted,
    ).execute(db)
    return name.recording_id


def keep_message(
    db: SqliteDatabase,
    message_id: str,
    call_id: str,
    stored: StoredTake,
    language: str | None,
    recorded: Stamp,
    now: Stamp,
    number: int | None = None,
) -> MessageKept:
    """A recording becomes a message; kept twice, it is still one. `number` is one that was told before.

    Raises: RecordNotFound.
    """
    call = find_call(db, call_id)
    recording_id = insert_recording(db, stored, recorded)
    known = Message.select().where(Message.recording_id == recording_id).get_or_none(db)
    if known is None:
        given = {} if number is None or _is_taken(db, number) else {"number": number}
        told = Message.insert(
            id=message_id,
            call_id=call_id,
            recording_id=recording_id,
            caller_number=call.caller_number,
            language=bounded(language, WORD_LIMIT) if language else None,
            urgent=False,
            interrupted=stored.take.end in _CUT_BY_US,
            handled=False,
            kept_at=now.at,
            clock_trusted=now.trusted,
            **given,
        ).execute(db)
        return MessageKept(call.line, call_id, message_id, int(told))
    return MessageKept(call.line, call_id, known.id, known.number)


def _is_taken(db: SqliteDatabase, number: int) -> bool:
    return bool(Message.select().where(Message.number == number).exists(db))


def replace_message(
    db: SqliteDatabase, message_id: str, stored: StoredTake, recorded: Stamp
) -> tuple[MessageKept, str | None]:
    """Another recording takes a message's place; tells which file is doomed. Raises: RecordNotFound."""
    message = find_message(db, message_id)
    call = find_call(db, message.call_id)
    kept = MessageKept(call.line, call.id, message.id, message.number)
    recording_id = insert_recording(db, stored, recorded)
    if recording_id == message.recording_id:
        return kept, None
    old = RecordingRow.select().where(RecordingRow.id == message.recording_id).get(db)
    Message.update(
        recording_id=recording_id,
        interrupted=stored.take.end in _CUT_BY_US,
        transcript=None,
        transcript_confidence=None,
    ).where(Message.id == message_id).execute(db)
    RecordingRow.delete().where(RecordingRow.id == old.id).execute(db)
    DoomedFile.insert(file=old.file).on_conflict_ignore().execute(db)
    return kept, old.file


def set_urgent(db: SqliteDatabase, message_id: str) -> None:
    """Raises: RecordNotFound."""
    find_message(db, message_id)
    Message.update(urgent=True).where(Message.id == message_id).execute(db)


def find_message(db: SqliteDatabase, message_id: str) -> Message:
    """Raises: RecordNotFound."""
    message = Message.select().where(Message.id == message_id).get_or_none(db)
    if message is None:
        raise RecordNotFound(f"no message has the id {bounded(message_id, WORD_LIMIT)}")
    return message


def recording_of_message(db: SqliteDatabase, message_id: str) -> RecordingRow:
    """Raises: RecordNotFound."""
    message = find_message(db, message_id)
    return RecordingRow.select().where(RecordingRow.id == message.recording_id).get(db)


def count_unhandled(db: SqliteDatabase) -> int:
    """Messages that nobody has handled yet."""
    return int(Message.select().where(~Message.handled).count(db))


def recorded_files(db: SqliteDatabase) -> set[str]:
    """Every file that has a row."""
    return {file for (file,) in RecordingRow.select(RecordingRow.file).tuples().execute(db)}


def files_of_recordings(db: SqliteDatabase) -> set[str]:
    """Every file that must be there: without those that were delivered and released."""
    kept = RecordingRow.select(RecordingRow.file).where(RecordingRow.released_at.is_null())
    return {file for (file,) in kept.tuples().execute(db)}


def doomed_files(db: SqliteDatabase) -> list[str]:
    """Files whose removal was decided and may not have happened."""
    return [row.file for row in DoomedFile.select().execute(db)]


def forget_doomed(db: SqliteDatabase, file: str) -> None:
    """The file is gone for good."""
    DoomedFile.delete().where(DoomedFile.file == file).execute(db)


def name_of(stored: StoredTake) -> RecordingName:
    """Raises: StorageError for a file that this store never named."""
    try:
        return RecordingName.parse(stored.file)
    except ValueError as error:
        raise StorageError(f"{bounded(stored.file, NAME_LIMIT)!r} is not a recording of this store") from error
