"""As much of HTTP/1.1 as a balancer needs: heads, and how long the body behind them is."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Self

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*(\d{1,12})[ \t]*\r?$")
_CONNECTION = re.compile(rb"(?im)^(connection|keep-alive):[^\r\n]*\r\n")
_MOST_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a request or an answer."""

    text: bytes

    @classmethod
    def answer(cls, status: int, content_type: str, length: int) -> Self:
        """The head of an answer of the balancer's own."""
        return cls(f"HTTP/1.1 {status} -\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n".encode())

    @property
    def has_length(self) -> bool:
        """Whether it says how long its body is."""
        return _LENGTH.search(self.text) is not None

    @property
    def length(self) -> int:
        """Bytes of the body. Raises: ValueError for more than any body here may have."""
        found = _LENGTH.search(self.text)
        length = int(found[1]) if found else 0
        if length > _MOST_BYTES:
            raise ValueError("a body too large for this laboratory")
        return length

    @property
    def status(self) -> int:
        """Of an answer. Raises: ValueError."""
        return int(self.text.split(b" ", 2)[1])

    @property
    def is_blob_part(self) -> bool:
        """Whether it brings a part of audio."""
        return self.text.startswith(b"PATCH ")

    @property
    def is_batch(self) -> bool:
        """Whether it brings records."""
        return self.text.startswith(b"POST ") and self.text.split(b" ", 2)[1].endswith(b"/records")

    def closing(self) -> bytes:
        """The same, for a connection that ends with this request."""
        return _CONNECTION.sub(b"", self.text)[:-2] + b"connection: close\r\n\r\n"

    def with_length(self, length: int) -> bytes:
        """The same, for a connection that goes on, and with a body of this length."""
        kept = _CONNECTION.sub(b"", self.text)[:-2]
        return kept + b"\r\n" if self.has_length else kept + f"content-length: {length}\r\n\r\n".encode()


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """The next head; None where the connection ended before it. Raises: ValueError for one that is too long."""
    try:
        return Head(await reader.readuntil(_END))
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    except asyncio.LimitOverrunError as error:
        raise ValueError("a head too long for this laboratory") from error
