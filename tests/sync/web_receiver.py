"""A web-hook receiver on a real socket, that behaves as a test tells it, request by request."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Got:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


def answer(status: int, body: bytes = b"", content_type: str = "application/json", *more: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {content_type}", f"Content-Length: {len(body)}", *more]
    return "\r\n".join([*lines, "", ""]).encode() + body


NEVER = b"never"
CUT = b"cut"
"""The answer is lost, though the request was carried out."""

Behaviour = Callable[[Got], bytes | Awaitable[bytes]]


@dataclass
class Receiver:
    """An asynchronous context manager; `behave` gives the raw answer to each request."""

    behave: Behaviour = lambda got: answer(200, b"{}")
    tls: ssl.SSLContext | None = None
    got: list[Got] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self._connections: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/hook"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while await self._serve_one(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(task)
            writer.close()

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        assert "transfer-encoding" not in headers
        self.got.append(Got(head[0].split()[1], headers, await reader.readexactly(int(headers["content-length"]))))
        raw = self.behave(self.got[-1])
        if not isinstance(raw, bytes):
            raw = await raw
        if raw == NEVER:
            await asyncio.Event().wait()
        if raw == CUT:
            return False
        writer.write(raw)
        await writer.drain()
        return True
