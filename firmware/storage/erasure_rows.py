"""Erasing in the database. Each function is the inside of one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from peewee import SqliteDatabase

from firmware.errors import RecordNotFound, StorageError
from firmware.storage.models import Call, Callback, DoomedFile, Message, RecordingRow, RememberedLanguage
from firmware.storage.stamps import Stamp
from firmware.storage.text import NUMBER_LIMIT, WORD_LIMIT, bounded

# What a call leaves behind is put into the records right after its end.
_SETTLING = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Erased:
    """How much was erased; nothing in here tells of whom."""

    messages: int = 0
    recordings: int = 0
    callbacks: int = 0
    calls: int = 0
    languages: int = 0


def message_id_of(db: SqliteDatabase, wanted: str) -> str:
    """A message by id or number. Raises: RecordNotFound."""
    name = bounded(wanted, WORD_LIMIT)
    is_number = name.isascii() and name.isdecimal()
    matches = Message.number == int(name[:18]) if is_number else Message.id == name
    row = Message.select(Message.id).where(matches).get_or_none(db)
    if row is None:
        raise RecordNotFound(f"there is no message {name}; `messages list` shows those there are")
    return str(row.id)


def erase_message(db: SqliteDatabase, message_id: str, now: Stamp | None) -> Erased:
    """A message, its transcript and its recording; the call stays. Raises: StorageError while the call is going on."""
    message = Message.select().where(Message.id == message_id).get(db)
    _refuse_live(db, [message.call_id], now)
    Message.delete().where(Message.id == message_id).execute(db)
    recordings = _doom(db, [message.recording_id], set())
    return Erased(messages=1, recordings=recordings)


def calls_of_number(db: SqliteDatabase, number: str) -> list[str]:
    """Every call that came from a number."""
    matches = Call.caller_number == bounded(number, NUMBER_LIMIT)
    return [call_id for (call_id,) in Call.select(Call.id).where(matches).tuples().execute(db)]


def erase_caller(db: SqliteDatabase, number: str, loose_files: set[str], now: Stamp | None) -> Erased:
    """Everything of one number; its calls stay for the count, without who called.

    `loose_files` are files of these calls that have no row. Raises: StorageError while a call is going on, unless
    `now` is None: then nothing runs.
    """
    number = bounded(number, NUMBER_LIMIT)
    calls = calls_of_number(db, number)
    _refuse_live(db, calls, now)
    requests = (Callback.phone == number) | Callback.call_id.in_(calls)
    reasons = [reason for (reason,) in Callback.select(Callback.reason_id).where(requests).tuples().execute(db)]
    messages = (Message.caller_number == number) | Message.call_id.in_(calls)
    taken = [taken for (taken,) in Message.select(Message.recording_id).where(messages).tuples().execute(db)]
    others = RecordingRow.select(RecordingRow.id).where(RecordingRow.call_id.in_(calls)).tuples().execute(db)
    erased_messages = Message.delete().where(messages).execute(db)
    erased_callbacks = Callback.delete().where(requests).execute(db)
    recordings = {*filter(None, reasons), *taken, *(other for (other,) in others)}
    erased_recordings = _doom(db, sorted(recordings), loose_files)
    Call.update(caller_number=None, caller_name=None, evidence=None).where(Call.id.in_(calls)).execute(db)
    languages = RememberedLanguage.delete().where(RememberedLanguage.number == number).execute(db)
    return Erased(erased_messages, erased_recordings, erased_callbacks, len(calls), languages)


def _doom(db: SqliteDatabase, recording_ids: list[str], loose_files: set[str]) -> int:
    """Take rows away and note their files for removal: a cut between the two must not bring them back."""
    mine = RecordingRow.id.in_(recording_ids)
    files = {file for (file,) in RecordingRow.select(RecordingRow.file).where(mine).tuples().execute(db)} | loose_files
    RecordingRow.delete().where(mine).execute(db)
    for file in sorted(files):
        DoomedFile.insert(file=file).on_conflict_ignore().execute(db)
    return len(files)


def _refuse_live(db: SqliteDatabase, calls: list[str], now: Stamp | None) -> None:
    if now is None:
        return
    settled = (datetime.fromisoformat(now.at) - _SETTLING).isoformat(timespec="milliseconds")
    live = (Call.ended_at.is_null()) | ((Call.ended_at > settled) & (Call.ended_at <= now.at))
    if Call.select().where(Call.id.in_(calls), live).exists(db):
        raise StorageError("a call of this caller is going on or has just ended; try again in a minute")
