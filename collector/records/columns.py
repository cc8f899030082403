"""What of a record becomes a column of its own: worth finding it by. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from collector.records.incoming import IncomingRecord, parsed_time
from collector.records.numbers import canonical

_TIMES = ("started_at", "recorded_at", "kept_at", "requested_at", "made_at", "at")
PERSONAL_KINDS = ("message", "callback", "recording", "shared")
"""Those that are erased with the person; a call stays, without its caller."""
_PERSONAL = ("caller_number", "caller_name", "evidence")
"""Of a call; the appliance takes the same away."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Values that are also in the body, or follow from it."""

    at: datetime
    urgent: bool | None = None
    number: str | None = None
    call_id: UUID | None = None


def columns_of(record: IncomingRecord, country: str) -> Columns:
    """They may be anything in the body: what has another form than expected is no column."""
    body = record.body
    if body is None:
        return Columns(record.queued_at)
    times = (parsed_time(body[name]) for name in _TIMES if name in body)
    at = next((time for time in times if time is not None), record.queued_at)
    urgent = body.get("urgent")
    number = number_in(record.kind, body)
    return Columns(
        at=at,
        urgent=urgent if isinstance(urgent, bool) else None,
        number=None if number is None else canonical(number, country),
        call_id=call_of(record),
    )


def number_in(kind: str, body: Mapping[str, Any]) -> str | None:
    """Whose record it is: who called, who wants to be called, or whose entry in the book."""
    names = ("phone", "caller_number", "number", "key") if kind == "shared" else ("phone", "caller_number")
    return next((value for name in names if isinstance(value := body.get(name), str) and value), None)


def without_caller(body: Mapping[str, Any]) -> dict[str, Any]:
    """A call's body for the count: without who called."""
    return {name: None if name in _PERSONAL else value for name, value in body.items()}


def call_of(record: IncomingRecord) -> UUID | None:
    """The call that it belongs to."""
    return None if record.body is None else uuid_or_none(record.body.get("call_id"))


def uuid_or_none(value: Any) -> UUID | None:
    """A UUID that stands in a body."""
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None
