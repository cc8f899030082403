"""Rows as the JSON fields of the design: for commands and pages, and for delivery. Pure.

`tell` turns a stored time, which is UTC text, into what the reader wants.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from firmware.units import samples_to_seconds

Record = dict[str, Any]
Row = Mapping[str, Any]
Tell = Callable[[str | None], str | None]


def call_json(row: Row, tell: Tell) -> Record:
    """A row of `call`."""
    return {
        "id": row["id"],
        "line": row["line"],
        "caller_number": row["caller_number"],
        "caller_name": row["caller_name"],
        "started_at": tell(row["started_at"]),
        "answered_at": tell(row["answered_at"]),
        "ended_at": tell(row["ended_at"]),
        "end_reason": row["end_reason"],
        "language": row["language"],
        "path": json.loads(row["path"]),
    }


def message_json(row: Row, tell: Tell) -> Record:
    """A row of `message` with `recorded_at` and `kept_samples` of its recording."""
    return {
        "id": row["id"],
        "number": row["number"],
        "call_id": row["call_id"],
        "caller_number": row["caller_number"],
        "language": row["language"],
        "urgent": bool(row["urgent"]),
        "interrupted": bool(row["interrupted"]),
        "recorded_at": tell(row["recorded_at"]),
        "duration_seconds": round(samples_to_seconds(row["kept_samples"]), 3),
        "handled": bool(row["handled"]),
        "transcript": row["transcript"],
    }


def callback_json(row: Row, tell: Tell) -> Record:
    """A row of `callback`."""
    return {
        "id": row["id"],
        "number": row["number"],
        "phone": row["phone"],
        "requested_at": tell(row["requested_at"]),
        "preferred": row["preferred"],
        "reason_id": row["reason_id"],
        "state": row["state"],
        "attempts": row["attempts"],
    }


def incident_json(row: Row, actions: Sequence[Row], notices: Sequence[Row], tell: Tell) -> Record:
    """A row of `incident` with what was done and who was told."""
    return {
        "id": row["id"],
        "number": row["seq"],
        "kind": row["kind"],
        "place": row["place"],
        "started_at": tell(row["started_at"]),
        "ended_at": tell(row["ended_at"]),
        "summary": row["summary"],
        "actions": [_part(part, ("action",), tell) for part in actions],
        "effect": row["effect"],
        "drill": bool(row["drill"]),
        "notices": [_part(part, ("who", "how", "result"), tell) for part in notices],
    }


def _part(row: Row, fields: Sequence[str], tell: Tell) -> Record:
    return {"at": tell(row["at"]), **{field: row[field] for field in fields}}
