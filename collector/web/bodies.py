"""Reads what a client sends, never more than is allowed, never longer than is bearable, and parses it strictly."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Never, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from collector.refusals import Refusal, Why, malformed

_IDLE_SECONDS = 20.0
# A full part takes 33 s over 64 kbit/s, and three times that with losses.
_TOTAL_SECONDS = 180.0
Shape = TypeVar("Shape", bound=BaseModel)


async def read_body(request: Request, most_bytes: int, most_seconds: float = _TOTAL_SECONDS) -> bytes:
    """The whole body. Raises: Refusal (`too_large`, `malformed`, `unavailable` for one that is too slow)."""
    _check_announced(request, most_bytes)
    pieces: list[bytes] = []
    got = 0
    stream = request.stream()
    try:
        async with asyncio.timeout(most_seconds) as total:
            while True:
                async with asyncio.timeout(_IDLE_SECONDS):
                    piece = await anext(stream, None)
                if piece is None:
                    return b"".join(pieces)
                got += len(piece)
                if got > most_bytes:
                    raise _too_large(most_bytes)
                pieces.append(piece)
    except TimeoutError as error:
        span = "altogether" if total.expired() else "without a byte"
        raise Refusal(Why.UNAVAILABLE, f"the body came too slowly: too long {span}; try again") from error


def parse_json(body: bytes) -> Any:
    """One JSON value, without NaN and infinities. Raises: Refusal (`malformed`)."""
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise malformed("the body is no JSON in UTF-8") from error


def parse_shape(shape: type[Shape], body: bytes) -> Shape:
    """A body of this shape, and nothing besides. Raises: Refusal (`malformed`)."""
    return as_shape(shape, parse_json(body))


def as_shape(shape: type[Shape], value: Any) -> Shape:
    """A parsed value in its shape.

    Raises: Refusal (`malformed`), which tells where, not what: that may be a caller's.
    """
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step)[:50] for step in first["loc"][:6]) or "body"
        raise malformed(f"{place}: {first['msg']}"[:500]) from error


def _check_announced(request: Request, most_bytes: int) -> None:
    announced = request.headers.get("content-length")
    if announced is not None and announced.isdecimal() and int(announced[:20]) > most_bytes:
        raise _too_large(most_bytes)


def _too_large(most_bytes: int) -> Refusal:
    return Refusal(Why.TOO_LARGE, f"the body may have at most {most_bytes} bytes")


def _refuse_constant(text: str) -> Never:
    raise ValueError(f"{text} is no JSON")
