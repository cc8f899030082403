"""Calls and remembered languages in the database. Each function is the inside of one transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence

from peewee import SqliteDatabase

from firmware.errors import RecordNotFound
from firmware.events import CallEnd, CallerId
from firmware.storage.models import Call, RememberedLanguage
from firmware.storage.stamps import Stamp
from firmware.storage.text import NAME_LIMIT, NUMBER_LIMIT, PATH_STEPS_LIMIT, WORD_LIMIT, bounded, bounded_or_none


def insert_call(db: SqliteDatabase, call_id: str, line: str, caller: CallerId, stamp: Stamp) -> None:
    """A call rings; the first word counts."""
    Call.insert(
        id=call_id,
        line=bounded(line, WORD_LIMIT),
        started_at=stamp.at,
        path="[]",
        clock_trusted=stamp.trusted,
        **_caller_fields(caller),
    ).on_conflict_ignore().execute(db)


def set_answered(db: SqliteDatabase, call_id: str, caller: CallerId, stamp: Stamp) -> None:
    """A call is answered; the first word counts. Raises: RecordNotFound."""
    call = find_call(db, call_id)
    if call.answered_at is None:
        trusted = call.clock_trusted and stamp.trusted
        fields = _caller_fields(caller)
        Call.update(answered_at=stamp.at, clock_trusted=trusted, **fields).where(Call.id == call_id).execute(db)


def set_ended(
    db: SqliteDatabase,
    call_id: str,
    end: CallEnd,
    evidence: str | None,
    language: str | None,
    path: Sequence[str],
    stamp: Stamp,
) -> None:
    """A call is over; the first word counts. Raises: RecordNotFound."""
    call = find_call(db, call_id)
    if call.ended_at is not None:
        return
    steps = [bounded(step, WORD_LIMIT) for step in path[:PATH_STEPS_LIMIT]]
    Call.update(
        ended_at=stamp.at,
        end_reason=end.value,
        evidence=bounded_or_none(evidence, NAME_LIMIT),
        language=bounded(language, WORD_LIMIT) if language else None,
        path=json.dumps(steps, ensure_ascii=False),
        clock_trusted=call.clock_trusted and stamp.trusted,
    ).where(Call.id == call_id).execute(db)


def find_call(db: SqliteDatabase, call_id: str) -> Call:
    """Raises: RecordNotFound."""
    call = Call.select().where(Call.id == call_id).get_or_none(db)
    if call is None:
        raise RecordNotFound(f"no call has the id {bounded(call_id, WORD_LIMIT)}")
    return call


def unended_calls(db: SqliteDatabase) -> list[Call]:
    """Calls that nobody closed, oldest first."""
    return list(Call.select().where(Call.ended_at.is_null()).order_by(Call.seq).execute(db))


def language_of(db: SqliteDatabase, number: str) -> str | None:
    """The language that a number chose last."""
    key = bounded(number, NUMBER_LIMIT)
    row = RememberedLanguage.select().where(RememberedLanguage.number == key).get_or_none(db)
    return None if row is None else str(row.language)


def set_language(db: SqliteDatabase, number: str, language: str, stamp: Stamp) -> None:
    """Remember the language of a number."""
    RememberedLanguage.insert(
        number=bounded(number, NUMBER_LIMIT), language=bounded(language, WORD_LIMIT), chosen_at=stamp.at
    ).on_conflict_replace().execute(db)


def _caller_fields(caller: CallerId) -> dict[str, str | None]:
    return {
        "caller_number": bounded_or_none(caller.number, NUMBER_LIMIT),
        "caller_name": bounded_or_none(caller.name, NAME_LIMIT),
        "number_absence": caller.absence.value,
    }
