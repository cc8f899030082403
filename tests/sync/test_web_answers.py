from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import DeliveryError
from firmware.sync.web_answers import WebAnswer, is_page, retry_after, taken

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@given(st.integers(0, 999), st.text(max_size=60), st.text(max_size=60), st.binary(max_size=300))
def test_only_a_success_that_is_no_page_counts_as_taken(status: int, kind: str, wait: str, start: bytes) -> None:
    answer = WebAnswer(status, {"content-type": kind, "retry-after": wait}, start)
    sure = 200 <= status < 300 and not is_page(answer)
    try:
        reason = taken(answer, NOW)
    except DeliveryError:
        reason = "not now"
    assert (reason is None) == sure


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("99999999999999999999", 86_400.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("٣", None),
    ],
)
def test_retry_after_is_read_as_number_or_date(text: str, seconds: float | None) -> None:
    assert retry_after(WebAnswer(429, {"retry-after": text}, b""), NOW) == seconds


@pytest.mark.parametrize(
    ("kind", "start", "page"),
    [
        ("text/html", b"", True),
        ("TEXT/HTML; charset=gbk", b"ok", True),
        ("application/json", b'{"html": "<html>"}', False),
        ("text/xml", b"<ok/>", False),
        ("text/plain", b"\xef\xbb\xbf  <!-- portal --> <HTML>", True),
        ("", b"<?xml version='1.0'?><!DOCTYPE html PUBLIC>", True),
        ("", b"", False),
    ],
)
def test_pages_are_known_by_type_or_first_words(kind: str, start: bytes, page: bool) -> None:
    assert is_page(WebAnswer(200, {"content-type": kind}, start)) is page
