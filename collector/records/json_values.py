"""Which JSON values PostgreSQL's jsonb can hold. Pure."""

from __future__ import annotations

import re
from typing import Any

MOST_DEPTH = 32
MOST_DIGITS = 300
"""jsonb holds 131,072 digits (PostgreSQL manual, 8.14); nothing that we measure has so many."""
_LONG_NUMBER = re.compile(rb"[0-9]{%d}" % MOST_DIGITS)


def surely_jsonb(text: bytes) -> bool:
    """Whether the canonical text of a value shows that it can be stored: all but the strangest do.

    A tenth of the walk through all that is in it, which `why_no_jsonb` takes.
    """
    shallow = text.count(b"{") + text.count(b"[") <= MOST_DEPTH
    return shallow and b"\\u0000" not in text and _LONG_NUMBER.search(text) is None


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
