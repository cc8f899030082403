"""Everything that is known of one incident, for its report: the record, and what calls met while it lasted.

Each function runs on an open reading connection; times are UTC text of equal length, so that text order is time order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from peewee import SqliteDatabase

from firmware.errors import RecordNotFound
from firmware.events import CallEnd
from firmware.storage.models import Call, Callback, Incident, IncidentAction, IncidentNotice, Message
from firmware.storage.text import WORD_LIMIT, bounded

_CUT_SHORT = tuple(
    end.value
    for end in (CallEnd.LINE_FAULT, CallEnd.INTERNAL_FAULT, CallEnd.SHUTDOWN, CallEnd.LOW_BATTERY, CallEnd.INTERRUPTED)
)
# A fault of weeks overlaps hundreds of others; a report is read by people.
_MOST_OTHERS = 50
Row = TypeVar("Row", IncidentAction, IncidentNotice)

_LINE_KINDS = ("modem", "call_fault")


@dataclass(frozen=True, slots=True)
class LineCalls:
    """What one line's callers met."""

    line: str
    offered: int = 0
    answered: int = 0
    cut_short: int = 0


@dataclass(frozen=True, slots=True)
class IncidentFacts:
    """One incident. `until` is its end, or the moment of asking while it lasts; times are UTC text."""

    incident: Incident
    until: str
    actions: Sequence[IncidentAction]
    notices: Sequence[IncidentNotice]
    calls: Sequence[LineCalls]
    messages: int
    callbacks: int
    others: Sequence[Incident]

    @property
    def lines_affected(self) -> tuple[str, ...]:
        """Lines whose fault it is, whose modem was away meanwhile, or whose callers were cut short."""
        faults = [other.place for other in (self.incident, *self.others) if other.kind in _LINE_KINDS]
        return tuple(dict.fromkeys([*faults, *(calls.line for calls in self.calls if calls.cut_short)]))

    def total(self) -> LineCalls:
        """All lines together."""
        return LineCalls(
            "",
            sum(calls.offered for calls in self.calls),
            sum(calls.answered for calls in self.calls),
            sum(calls.cut_short for calls in self.calls),
        )


def read_facts(db: SqliteDatabase, wanted: str, now: str) -> IncidentFacts:
    """`wanted` is an id or a number. Raises: RecordNotFound."""
    incident = _find(db, bounded(wanted, WORD_LIMIT))
    since, until = incident.started_at, incident.ended_at or now
    # A request that joined an earlier one was asked for in this span as well.
    asked = Callback.requested_at.between(since, until) | Callback.updated_at.between(since, until)
    return IncidentFacts(
        incident,
        until,
        _of_incident(db, IncidentAction, incident),
        _of_incident(db, IncidentNotice, incident),
        _calls(db, since, until),
        Message.select().where(Message.kept_at.between(since, until)).count(db),
        Callback.select().where(asked).count(db),
        _others(db, incident, until),
    )


def _of_incident(db: SqliteDatabase, table: type[Row], incident: Incident) -> list[Row]:
    return list(table.select().where(table.incident_id == incident.id).order_by(table.seq).execute(db))


def _find(db: SqliteDatabase, wanted: str) -> Incident:
    matches = Incident.id == wanted
    if wanted.isascii() and wanted.isdecimal():
        # A number too long for SQLite is no number of ours.
        matches = Incident.seq == int(wanted[:18])
    found: Incident | None = Incident.select().where(matches).get_or_none(db)
    if found is None:
        raise RecordNotFound(f"there is no incident {wanted}; `incidents list` shows those there are")
    return found


def _calls(db: SqliteDatabase, since: str, until: str) -> list[LineCalls]:
    """A call counts where it was on the line at any time of the incident; it is cut short where it ended in it."""
    met = (Call.started_at <= until) & (Call.ended_at.is_null() | (Call.ended_at >= since))
    lines: dict[str, LineCalls] = {}
    for call in Call.select().where(met).order_by(Call.seq).execute(db):
        known = lines.get(call.line, LineCalls(call.line))
        cut = call.end_reason in _CUT_SHORT and call.ended_at <= until
        answered = known.answered + (call.answered_at is not None)
        lines[call.line] = LineCalls(call.line, known.offered + 1, answered, known.cut_short + cut)
    return list(lines.values())


def _others(db: SqliteDatabase, incident: Incident, until: str) -> list[Incident]:
    meanwhile = (Incident.started_at <= until) & (
        Incident.ended_at.is_null() | (Incident.ended_at >= incident.started_at)
    )
    query = Incident.select().where(meanwhile, Incident.id != incident.id).order_by(Incident.seq).limit(_MOST_OTHERS)
    return list(query.execute(db))
