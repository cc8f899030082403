"""What an HTTP answer means for a delivery. Pure.

A captive portal and a proxy answer 200 with a page, or redirect to one: none of that is an acknowledgement.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

from firmware.errors import DeliveryRefused, FarEndUnreachable, TryLater

_PAGE_TYPES = ("text/html", "application/xhtml+xml")
_PAGE_WORDS = (b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<meta")
_PAGE_START_BYTES = 2000
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NOT_LET_IN = (401, 403, 407)
_NOTHING_THERE = (404, 405, 410)
# 409: the draft of the Idempotency-Key header has it for "the first request with this key is still being worked on".
_LATER = (408, 409, 425, 429)
_LOGIN_NEEDED = 511
_LONGEST_WAIT_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """Status, headers (names in lower case) and the beginning of the body."""

    status: int
    headers: Mapping[str, str]
    start: bytes


class ServerFault(TryLater):
    """The far end failed at this request (500); others may still go through."""


class AddressFault(DeliveryRefused):
    """Nothing is there (404); where others go through, this one is not wanted."""


class NoAnswer(FarEndUnreachable):
    """The far end took the connection and said nothing in time; others may still go through."""


def taken(answer: WebAnswer, now: datetime) -> str | None:
    """None where the far end has taken it; else why it never will.

    Raises: FarEndUnreachable where somebody else answered; DeliveryRefused, AddressFault; TryLater, ServerFault.
    """
    status = answer.status
    if status == _LOGIN_NEEDED or 300 <= status < 400:
        raise FarEndUnreachable(
            f"somebody else answers in the far end's place (status {status}); log this network in, or correct the url"
        )
    if not 200 <= status < 300:
        return _refused(answer, now)
    if is_page(answer):
        raise FarEndUnreachable(
            "a web page came back where the far end should have answered; log this network in, or correct the url"
        )
    return None


def _refused(answer: WebAnswer, now: datetime) -> str:
    status = answer.status
    if status in _NOT_LET_IN:
        raise DeliveryRefused(f"the far end does not let this appliance in (status {status}); compare the secrets")
    if status in _NOTHING_THERE:
        raise AddressFault(f"nothing is at the far end's address (status {status}); correct the url")
    if status in _LATER or status >= 500:
        fault = ServerFault if status == 500 else TryLater
        raise fault(f"the far end could not take it now (status {status})", retry_after(answer, now))
    return f"the far end answered with status {status}"


def is_page(answer: WebAnswer) -> bool:
    """Whether it is HTML, by its type or by its first words."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    start = answer.start.removeprefix(_BYTE_ORDER_MARK).lstrip()[:_PAGE_START_BYTES].lower()
    return kind in _PAGE_TYPES or (start.startswith(b"<") and any(word in start for word in _PAGE_WORDS))


def retry_after(answer: WebAnswer, now: datetime) -> float | None:
    """Seconds, from a number or a date (RFC 9110, 10.2.3), at most a day; None where it says nothing of use."""
    text = answer.headers.get("retry-after", "").strip()[:40]
    seconds = float(text) if text.isascii() and text.isdecimal() else _seconds_until(text, now)
    if seconds is None or not math.isfinite(seconds):
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT_SECONDS)


def _seconds_until(text: str, now: datetime) -> float | None:
    try:
        then = parsedate_to_datetime(text)
        return (then - now).total_seconds() if then.tzinfo else None
    except (ValueError, TypeError, OverflowError):
        return None
