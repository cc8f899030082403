"""The office's web application: two addresses, read only, as plain ASGI.

`/` is the status page, `/health` the same as JSON for monitoring.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from firmware.office.facts import Facts
from firmware.office.page import choose_language, status_page

Tell = Callable[[], Awaitable[Facts]]

_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
_LONGEST_QUERY = 256


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    kind: str
    text: str
    more: tuple[tuple[bytes, bytes], ...] = ()


class OfficeWeb:
    """An ASGI application. `tell` gives the facts anew for every request; it never raises."""

    def __init__(self, tell: Tell, default_language: str) -> None:
        self._tell = tell
        self._default = default_language

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        """Answer one request."""
        del receive  # no request has a body that matters
        if scope["type"] != "http":
            return
        answer = await self._answer(scope)
        body = answer.text.encode()
        head = [(b"content-type", answer.kind.encode()), (b"content-length", str(len(body)).encode())]
        headers = [*head, *_HEADERS, *answer.more]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answer(self, scope: Mapping[str, Any]) -> _Answer:
        if scope["method"] not in ("GET", "HEAD"):
            return _Answer(405, "text/plain", "read only\n", ((b"allow", b"GET, HEAD"),))
        if scope["path"] == "/health":
            facts = await self._tell()
            return _Answer(200, "application/json", json.dumps(facts.to_json(), ensure_ascii=False))
        if scope["path"] != "/":
            return _Answer(404, "text/plain", "no such page; the status page is /\n")
        language = self._language(scope)
        page = status_page(await self._tell(), language)
        return _Answer(200, "text/html; charset=utf-8", page, ((b"content-language", language.encode()),))

    def _language(self, scope: Mapping[str, Any]) -> str:
        query = bytes(scope["query_string"])[:_LONGEST_QUERY].decode("ascii", "replace")
        asked = parse_qs(query, max_num_fields=None).get("lang", [None])[0]
        accepted = next((value for name, value in scope["headers"] if name == b"accept-language"), b"")
        return choose_language(asked, accepted.decode("latin-1"), self._default)
