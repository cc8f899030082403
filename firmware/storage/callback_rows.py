"""Callback requests in the database. Each function is the inside of one transaction."""

from __future__ import annotations

from peewee import SqliteDatabase

from firmware.errors import RecordNotFound
from firmware.events import CallbackKept
from firmware.ports import CallbackRequest, StoredTake
from firmware.storage.call_rows import find_call
from firmware.storage.models import Callback
from firmware.storage.recording_rows import insert_recording
from firmware.storage.stamps import Stamp
from firmware.storage.text import NUMBER_LIMIT, WORD_LIMIT, bounded

OPEN = "open"
_NO_CHOICE = "as_soon_as_possible"


def keep_callback(
    db: SqliteDatabase,
    callback_id: str,
    call_id: str,
    request: CallbackRequest,
    language: str | None,
    recorded: Stamp,
    now: Stamp,
    number: int | None = None,
) -> CallbackKept:
    """A request is kept, or joins the open one of the same phone. `number` is one that was told before.

    Raises: RecordNotFound.
    """
    line = find_call(db, call_id).line
    reason_id = insert_recording(db, request.reason, recorded) if request.reason else None
    earlier = _known(db, callback_id) or _open_request(db, bounded(request.phone, NUMBER_LIMIT))
    fields: dict[str, object] = {
        "call_id": call_id,
        "language": bounded(language, WORD_LIMIT) if language else None,
        "updated_at": now.at,
        **({"reason_id": reason_id} if reason_id else {}),
        **({"preferred": bounded(request.preferred, WORD_LIMIT)} if request.preferred else {}),
    }
    if earlier is not None:
        Callback.update(fields).where(Callback.id == earlier.id).execute(db)
        return CallbackKept(line, call_id, earlier.id, earlier.number, merged=True)
    fields |= {"id": callback_id, "phone": bounded(request.phone, NUMBER_LIMIT), "state": OPEN, "attempts": 0}
    fields.setdefault("preferred", _NO_CHOICE)
    fields |= {"requested_at": now.at, "clock_trusted": now.trusted}
    if number is not None and not Callback.select().where(Callback.number == number).exists(db):
        fields["number"] = number
    told = Callback.insert(fields).execute(db)
    return CallbackKept(line, call_id, callback_id, int(told), merged=False)


def add_reason(db: SqliteDatabase, callback_id: str, reason: StoredTake, recorded: Stamp, now: Stamp) -> None:
    """The spoken reason of a request; an earlier one stays on the disk with its call. Raises: RecordNotFound."""
    if not Callback.select().where(Callback.id == callback_id).exists(db):
        raise RecordNotFound(f"no callback request has the id {bounded(callback_id, WORD_LIMIT)}")
    reason_id = insert_recording(db, reason, recorded)
    Callback.update(reason_id=reason_id, updated_at=now.at).where(Callback.id == callback_id).execute(db)


def callback_of_call(db: SqliteDatabase, call_id: str) -> str | None:
    """The request that a call left, if any."""
    row = Callback.select().where(Callback.call_id == call_id).order_by(Callback.number.desc()).first(db)
    return None if row is None else str(row.id)


def _known(db: SqliteDatabase, callback_id: str) -> Callback | None:
    return Callback.select().where(Callback.id == callback_id).get_or_none(db)


def _open_request(db: SqliteDatabase, phone: str) -> Callback | None:
    # Without a number there is nothing to tell two requests apart by, so they stay two.
    if not phone:
        return None
    return Callback.select().where(Callback.phone == phone, Callback.state == OPEN).get_or_none(db)
