"""The Retry-After header (RFC 9110, 10.2.3): seconds, or a date. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_MOST_DIGITS = 9


def retry_after_seconds(text: str | None, now: datetime) -> float | None:
    """Seconds from `now`; None where there is nothing that makes sense."""
    text = (text or "").strip()
    if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS:
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, (date - now).total_seconds())
