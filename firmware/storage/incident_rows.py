"""Incidents in the database. Each function is the inside of one transaction.

`incident_id` is the incident that the same write met before: done again in a database that a backup gave, it must not
meet a later one there.
"""

from __future__ import annotations

from dataclasses import dataclass

from peewee import SqliteDatabase

from firmware.errors import RecordNotFound
from firmware.storage.models import Incident, IncidentAction, IncidentNotice
from firmware.storage.stamps import Stamp
from firmware.storage.text import NAME_LIMIT, SENTENCE_LIMIT, bounded

# A fault that lasts for weeks is acted on again and again; the first actions and the latest tell the story.
_ACTIONS_LIMIT = 200
_FIRST_ACTIONS = 20


@dataclass(frozen=True, slots=True)
class IncidentMet:
    """Which incident a write was about."""

    incident_id: str


def open_incident(
    db: SqliteDatabase, incident_id: str, kind: str, place: str, summary: str, stamp: Stamp, drill: bool = False
) -> None:
    """A fault began, or is known already. The same one written twice is one."""
    if _find(db, kind, place, only_open=True) is not None:
        return
    Incident.insert(
        id=incident_id,
        kind=bounded(kind, NAME_LIMIT),
        place=bounded(place, NAME_LIMIT),
        started_at=stamp.at,
        summary=bounded(summary, SENTENCE_LIMIT),
        clock_trusted=stamp.trusted,
        drill=drill,
    ).on_conflict_ignore().execute(db)


def note_incident(
    db: SqliteDatabase, kind: str, place: str, action: str, stamp: Stamp, incident_id: str | None = None
) -> IncidentMet:
    """What was done about the latest incident of this kind and place. Raises: RecordNotFound."""
    known = _latest(db, kind, place, incident_id)
    _insert_once(db, IncidentAction, incident_id=known.id, at=stamp.at, action=bounded(action, SENTENCE_LIMIT))
    _thin_out(db, IncidentAction, known.id)
    return IncidentMet(known.id)


def set_effect(db: SqliteDatabase, kind: str, place: str, effect: str, incident_id: str | None = None) -> IncidentMet:
    """What the latest incident of this kind and place cost. Raises: RecordNotFound."""
    known = _latest(db, kind, place, incident_id)
    Incident.update(effect=bounded(effect, SENTENCE_LIMIT)).where(Incident.id == known.id).execute(db)
    return IncidentMet(known.id)


def tell_incident(
    db: SqliteDatabase,
    kind: str,
    place: str,
    who: str,
    how: str,
    result: str,
    stamp: Stamp,
    incident_id: str | None = None,
) -> IncidentMet:
    """Somebody was told of the latest incident of this kind and place. Raises: RecordNotFound."""
    known = _latest(db, kind, place, incident_id)
    told = {"who": bounded(who, NAME_LIMIT), "how": bounded(how, NAME_LIMIT), "result": bounded(result, NAME_LIMIT)}
    _insert_once(db, IncidentNotice, incident_id=known.id, at=stamp.at, **told)
    _thin_out(db, IncidentNotice, known.id)
    return IncidentMet(known.id)


def close_incident(
    db: SqliteDatabase, kind: str, place: str, stamp: Stamp, incident_id: str | None = None
) -> IncidentMet | None:
    """The fault is over; nothing happens where none is open."""
    known = _find(db, kind, place, only_open=True)
    if known is None or incident_id not in (None, known.id):
        return None
    trusted = known.clock_trusted and stamp.trusted
    Incident.update(ended_at=stamp.at, clock_trusted=trusted).where(Incident.id == known.id).execute(db)
    return IncidentMet(known.id)


def insert_past_incident(
    db: SqliteDatabase, incident_id: str, kind: str, summary: str, began: Stamp, ended: Stamp
) -> None:
    """A fault that could not be written while it lasted. Once, however often it is written."""
    Incident.insert(
        id=incident_id,
        kind=bounded(kind, NAME_LIMIT),
        place=bounded(kind, NAME_LIMIT),
        started_at=began.at,
        ended_at=ended.at,
        summary=bounded(summary, SENTENCE_LIMIT),
        clock_trusted=began.trusted and ended.trusted,
        drill=False,
    ).on_conflict_ignore().execute(db)


def _find(db: SqliteDatabase, kind: str, place: str, *, only_open: bool) -> Incident | None:
    query = Incident.select().where(
        Incident.kind == bounded(kind, NAME_LIMIT), Incident.place == bounded(place, NAME_LIMIT)
    )
    if only_open:
        query = query.where(Incident.ended_at.is_null())
    return query.order_by(Incident.seq.desc()).limit(1).get_or_none(db)


def _latest(db: SqliteDatabase, kind: str, place: str, incident_id: str | None) -> Incident:
    if incident_id is None:
        known = _find(db, kind, place, only_open=False)
    else:
        known = Incident.select().where(Incident.id == incident_id).get_or_none(db)
    if known is None:
        raise RecordNotFound(f"no incident of the kind {bounded(kind, NAME_LIMIT)} is known")
    return known


def _insert_once(db: SqliteDatabase, table: type[IncidentAction | IncidentNotice], **row: str) -> None:
    """A write that is owed may have happened already."""
    same = [getattr(table, name) == value for name, value in row.items()]
    if not table.select().where(*same).exists(db):
        table.insert(**row).execute(db)


def _thin_out(db: SqliteDatabase, table: type[IncidentAction | IncidentNotice], incident_id: str) -> None:
    rows = table.select(table.seq).where(table.incident_id == incident_id).order_by(table.seq)
    sequence = [row.seq for row in rows.execute(db)]
    if len(sequence) > _ACTIONS_LIMIT:
        table.delete().where(table.seq == sequence[_FIRST_ACTIONS]).execute(db)
