"""Who called, where the line told no name: as the company's contacts know it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def named(records: Iterable[dict[str, Any]], names: Mapping[str, str], country: str) -> list[dict[str, Any]]:
    """Calls or messages with `caller_name` behind their number; what the line told stays. `names` by E.164 number."""
    return [_named(record, names, country) for record in records]


def _named(record: dict[str, Any], names: Mapping[str, str], country: str) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for field, value in record.items():
        if field != "caller_name":
            told[field] = value
        if field == "caller_number":
            told["caller_name"] = record.get("caller_name") or _name_of(value, names, country)
    return told


def _name_of(number: str | None, names: Mapping[str, str], country: str) -> str | None:
    if not number or not names:
        return None
    # Late: the tables of all countries are for an office that has contacts.
    from firmware.storage.phone_numbers import canonical

    return names.get(canonical(number, country))
