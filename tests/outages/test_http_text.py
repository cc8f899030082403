from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outages.http_text import Head, read_head

_BATCH = b"POST /v1/d/x/records HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nContent-Length: 12\r\n\r\n"
_PART = b"PATCH /v1/d/x/blobs/aa?offset=0&size=9 HTTP/1.1\r\ncontent-length: 9\r\n\r\n"


def test_a_batch_and_a_part_of_audio_are_told_apart() -> None:
    assert (Head(_BATCH).is_batch, Head(_BATCH).is_blob_part) == (True, False)
    assert (Head(_PART).is_batch, Head(_PART).is_blob_part) == (False, True)
    assert Head(b"POST /v1/d/x/certificate HTTP/1.1\r\n\r\n").is_batch is False


def test_a_request_that_is_passed_on_closes_its_connection_and_keeps_its_other_headers() -> None:
    assert Head(_BATCH).closing() == (
        b"POST /v1/d/x/records HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\nconnection: close\r\n\r\n"
    )


def test_an_answer_without_a_length_gets_one() -> None:
    told = Head(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").with_length(5)
    assert told == b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"


@given(st.binary(max_size=300))
async def test_whatever_comes_is_a_head_or_the_end_of_the_connection(data: bytes) -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    try:
        head = await read_head(reader)
    except (asyncio.IncompleteReadError, ValueError):
        return
    assert head is None or head.text.endswith(b"\r\n\r\n")


def test_a_length_beyond_every_body_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        _ = Head(b"PATCH / HTTP/1.1\r\ncontent-length: 99999999\r\n\r\n").length
