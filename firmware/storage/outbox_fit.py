"""Bodies of records within what a far end takes. Pure, and the same for the same record.

Only a person who talks for half an hour or a fault of months comes near the limit; what is left out stays on the
appliance, and the body says so.
"""

from __future__ import annotations

from typing import Any

from firmware.uplink_contract.canonical import canonical_json
from firmware.uplink_contract.limits import MOST_RECORD_BYTES

ENVELOPE_BYTES = 512
"""Room for what stands around a body: kind, ids, numbers, times, the audio's hash."""
SHORTENED = "shortened"
_FIRST_KEPT = 20


def fitted(body: dict[str, Any], most_bytes: int = MOST_RECORD_BYTES - ENVELOPE_BYTES) -> tuple[dict[str, Any], int]:
    """The body, and its size; with its longest texts and lists cut in half until it is small enough.

    Lists keep their beginning and their end. `shortened` names the fields.
    """
    size = len(canonical_json(body))
    while size > most_bytes:
        field = max(body, key=lambda name: _weight(body[name]))
        if _weight(body[field]) <= _FIRST_KEPT:
            break
        names = sorted({*body.get(SHORTENED, ()), field})
        body = {**body, field: _half(body[field]), SHORTENED: names}
        size = len(canonical_json(body))
    return body, size


def _weight(value: Any) -> int:
    return len(canonical_json(value)) if isinstance(value, str | list) else 0


def _half(value: Any) -> Any:
    kept = len(value) // 2
    if isinstance(value, str):
        return value[:kept]
    first = min(_FIRST_KEPT, kept // 2)
    return [*value[:first], *value[len(value) - (kept - first) :]]
