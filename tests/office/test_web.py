"""The office's application takes whatever a network sends."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from firmware.office.facts import Facts, PowerFact
from firmware.office.web import OfficeWeb

_FACTS = Facts("1", (), PowerFact("unknown"), None, None, None)


async def _tell() -> Facts:
    return _FACTS


def answered(scope: dict[str, Any]) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(OfficeWeb(_tell, "zh")(scope, None, send))
    return sent


_HEADER = st.tuples(st.sampled_from([b"accept-language", b"cookie", b"host"]), st.binary(max_size=200))


@given(
    st.sampled_from(["GET", "HEAD", "POST", "DELETE", "BREW"]),
    st.sampled_from(["/", "/health"]) | st.text(),
    st.binary(max_size=400),
    st.lists(_HEADER, max_size=5),
)
def test_any_request_gets_a_whole_answer(method: str, path: str, query: bytes, headers: list[Any]) -> None:
    scope = {"type": "http", "method": method, "path": path, "query_string": query, "headers": headers}
    start, body = answered(scope)
    assert start["status"] in (200, 404, 405)
    named = dict(start["headers"])
    assert named[b"content-security-policy"].startswith(b"default-src 'none'")
    assert method == "HEAD" or int(named[b"content-length"]) == len(body["body"])
    assert (start["status"] == 405) is (method not in ("GET", "HEAD"))


def test_websocket_is_left_alone() -> None:
    assert answered({"type": "websocket"}) == []
