"""Text that callers and networks supply, before it becomes part of a record."""

from __future__ import annotations

import unicodedata

NUMBER_LIMIT = 64
NAME_LIMIT = 200
WORD_LIMIT = 64
SENTENCE_LIMIT = 1000
PATH_STEPS_LIMIT = 500


def bounded(text: str, limit: int) -> str:
    """At most `limit` characters, without control characters and half surrogates: neither belongs on a page."""
    clean = (letter for letter in text[: 4 * limit] if unicodedata.category(letter) not in {"Cc", "Cs"})
    return "".join(clean)[:limit]


def bounded_or_none(text: str | None, limit: int) -> str | None:
    """The same for a value that may be absent."""
    return None if text is None else bounded(text, limit)
