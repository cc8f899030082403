"""Erasing in the database. Each function is the inside of one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from peewee import SqliteDatabase

from firmware.errors import RecordNotFound, StorageError
from firmware.storage.erasure_record import Traces
from firmware.storage.migrations import run_sql
from firmware.storage.models import Call, Callback, DoomedFile, Message, RecordingRow, RememberedLanguage
from firmware.storage.stamps import Stamp
from firmware.storage.text import WORD_LIMIT, bounded

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
    shared: int = 0


def message_id_of(db: SqliteDatabase, wanted: str) -> str:
    """A message by id or number. Raises: RecordNotFound."""
    name = bounded(wanted, WORD_LIMIT)
    is_number = name.isascii() and name.isdecimal()
    matches = Message.number == int(name[:18]) if is_number else Message.id == name
    row = Message.select(Message.id).where(matches).get_or_none(db)
    if row is None:
        raise RecordNotFound(f"there is no message {name}; `messages list` shows those there are")
    return str(row.id)


def erase_message(db: SqliteDatabase, message_id: str, now: Stamp | None) -> tuple[Erased, Traces]:
    """A message, its transcript and its recording; the call stays. Raises: StorageError while the call is going on."""
    message = Message.select().where(Message.id == message_id).get(db)
    _refuse_live(db, [message.call_id], now)
    Message.delete().where(Message.id == message_id).execute(db)
    recordings = _doom(db, [message.recording_id], set())
    return Erased(messages=1, recordings=recordings), Traces(messages=(message_id,), recordings=(message.recording_id,))


def spellings(db: SqliteDatabase, same: Callable[[str], bool]) -> set[str]:
    """Every way in which a number stands in the records; `same` tells whether a text is that number."""
    numbers: set[str] = set()
    for column in (Call.caller_number, Callback.phone, Message.caller_number, RememberedLanguage.number):
        found = column.model.select(column).distinct().where(column.is_null(False)).tuples().execute(db)
        numbers.update(number for (number,) in found)
    return {number for number in numbers if same(number)}


def calls_of(db: SqliteDatabase, numbers: set[str]) -> list[str]:
    """Every call that came from a number, however it is spelt."""
    matches = Call.caller_number.in_(numbers)
    return [call_id for (call_id,) in Call.select(Call.id).where(matches).tuples().execute(db)]


def erase_caller(
    db: SqliteDatabase, numbers: set[str], loose_files: set[str], now: Stamp | None
) -> tuple[Erased, Traces]:
    """Everything of one number in all its spellings; its calls stay for the count, without who called.

    `loose_files` are files of these calls that have no row. Raises: StorageError while a call is going on, unless
    `now` is None: then nothing runs.
    """
    calls = calls_of(db, numbers)
    _refuse_live(db, calls, now)
    requested = Callback.phone.in_(numbers) | Callback.call_id.in_(calls)
    left = Message.caller_number.in_(numbers) | Message.call_id.in_(calls)
    callbacks = dict(Callback.select(Callback.id, Callback.reason_id).where(requested).tuples().execute(db))
    messages = dict(Message.select(Message.id, Message.recording_id).where(left).tuples().execute(db))
    spoken = RecordingRow.select(RecordingRow.id).where(RecordingRow.call_id.in_(calls)).tuples().execute(db)
    recordings = {*filter(None, callbacks.values()), *messages.values(), *(one for (one,) in spoken)}
    Message.delete().where(left).execute(db)
    Callback.delete().where(requested).execute(db)
    # Another caller's request may have joined this one's, and go on with the reason that this one spoke.
    Callback.update(reason_id=None).where(Callback.reason_id.in_(recordings)).execute(db)
    erased = _doom(db, sorted(recordings), loose_files)
    Call.update(caller_number=None, caller_name=None, evidence=None).where(Call.id.in_(calls)).execute(db)
    languages = RememberedLanguage.delete().where(RememberedLanguage.number.in_(numbers)).execute(db)
    traces = Traces(tuple(calls), tuple(messages), tuple(callbacks), tuple(sorted(recordings)))
    return Erased(len(messages), erased, len(callbacks), len(calls), languages), traces


def keep_receipt(db: SqliteDatabase, receipt_id: str, erased: Erased, now: Stamp) -> None:
    """That something was erased, as a record that is delivered like any other: it tells of nobody."""
    row = (receipt_id, now.at, json.dumps(asdict(erased)), now.trusted)
    run_sql(db, "INSERT INTO erasure (id, at, counts, clock_trusted) VALUES (?, ?, ?, ?)", *row)


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
