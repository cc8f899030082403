"""A durable recording that no record refers to gets one: as a callback's spoken reason, else as a message."""

from __future__ import annotations

from dataclasses import dataclass

from peewee import SqliteDatabase

from firmware.events import CallerId, RecordingEnd
from firmware.ports import StoredTake, Take
from firmware.storage import call_rows, callback_rows, recording_rows
from firmware.storage.models import Call, Callback, RecordingRow
from firmware.storage.recording_file import RecordingName
from firmware.storage.stamps import Stamp, id_time, utc_text

CALLBACK_REASON = "callback_reason"
# The call's own record is gone, but not what the caller said.
_UNKNOWN_LINE = "unknown"


@dataclass(frozen=True, slots=True)
class Adopted:
    """What became of a recording: the message's id, or none where it went to a callback request."""

    message_id: str | None


def remains(name: RecordingName, samples: int) -> StoredTake:
    """A recording of which only the file is known."""
    take = Take(RecordingEnd.INTERRUPTED, total_samples=samples, kept_samples=samples, voiced=True)
    return StoredTake(name.final, name.sample_format, take)


def adopt(db: SqliteDatabase, message_id: str, stored: StoredTake, now: Stamp, language: str | None = None) -> Adopted:
    """Inside one transaction. The recording's id tells when it began."""
    name = recording_rows.name_of(stored)
    call = _call_of(db, name)
    recorded = Stamp(utc_text(id_time(name.recording_id)), call.clock_trusted)
    if name.purpose == CALLBACK_REASON and (callback_id := callback_rows.callback_of_call(db, name.call_id)):
        if _wants_reason(db, callback_id, name.call_id):
            callback_rows.add_reason(db, callback_id, stored, recorded, now)
        else:
            recording_rows.insert_recording(db, stored, recorded)
        return Adopted(None)
    spoken = language or call.language
    kept = recording_rows.keep_message(db, message_id, name.call_id, stored, spoken, recorded, now)
    return Adopted(kept.message_id)


def _call_of(db: SqliteDatabase, name: RecordingName) -> Call:
    if not Call.select().where(Call.id == name.call_id).exists(db):
        began = Stamp(utc_text(id_time(name.call_id)), trusted=False)
        call_rows.insert_call(db, name.call_id, _UNKNOWN_LINE, CallerId(), began)
    return call_rows.find_call(db, name.call_id)


def _wants_reason(db: SqliteDatabase, callback_id: str, call_id: str) -> bool:
    callback = Callback.select().where(Callback.id == callback_id).get(db)
    reason = RecordingRow.select().where(RecordingRow.id == callback.reason_id).get_or_none(db)
    return reason is None or reason.call_id != call_id
