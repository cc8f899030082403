"""Which JSON values PostgreSQL's jsonb can hold. Pure."""

from __future__ import annotations

from typing import Any

MOST_DEPTH = 32
MOST_DIGITS = 300
"""jsonb holds 131,072 digits (PostgreSQL manual, 8.14); nothing that we measure has so many."""


def why_no_jsonb(value: Any) -> str | None:
    """Why this value cannot be stored, or None. Without recursion: the value may be nested as deep as it likes."""
    waiting: list[tuple[Any, int]] = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        if depth > MOST_DEPTH:
            return f"is nested more than {MOST_DEPTH} deep"
        if isinstance(item, dict):
            waiting.extend((part, depth + 1) for pair in item.items() for part in pair)
        elif isinstance(item, list):
            waiting.extend((part, depth + 1) for part in item)
        elif reason := _why_not_one(item):
            return reason
    return None


def _why_not_one(item: Any) -> str | None:
    if isinstance(item, str) and "\0" in item:
        return "holds a text with a zero character"
    if isinstance(item, int) and abs(item) >= 10**MOST_DIGITS:
        return f"holds a number of more than {MOST_DIGITS} digits"
    return None
