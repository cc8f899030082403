"""A Unix socket that speaks JSON lines with any number of clients: everything said goes to all of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

Message = Mapping[str, object]

# A client that does not read is dropped here, rather than filling the memory.
_MOST_UNREAD_BYTES = 1 << 20
# No command comes near this; a longer line is not JSON lines.
_LONGEST_LINE_BYTES = 64 * 1024


def as_line(message: Message) -> bytes:
    """One message as it goes over the wire."""
    # Half a surrogate pair, from a client's escape, goes back as the same escape.
    return json.dumps(message, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


class JsonLinesServer:
    """`greet` gives what a new client hears first; `take` gets each line that a client sends.

    What `take` returns is told to this client alone.
    """

    def __init__(
        self, path: Path, greet: Callable[[], list[Message]], take: Callable[[str], Message | None] | None = None
    ) -> None:
        self.path = path
        self._greet = greet
        self._take = take
        self._clients: set[asyncio.StreamWriter] = set()
        self._handlers: set[asyncio.Task[None] | None] = set()
        self._server: asyncio.Server | None = None
        self._closing = False

    async def __aenter__(self) -> Self:
        self.path.unlink(missing_ok=True)
        self._closing = False
        self._server = await asyncio.start_unix_server(self._serve, self.path, limit=_LONGEST_LINE_BYTES)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self._closing = True
        for client in tuple(self._clients):
            client.close()
        # A closed client reads as end of file, so that every handler ends by itself.
        await asyncio.gather(*(handler for handler in tuple(self._handlers) if handler is not None))
        await self._server.wait_closed()
        self.path.unlink(missing_ok=True)

    def say(self, message: Message) -> None:
        """Tell every client. Never blocks."""
        line = as_line(message)
        for client in tuple(self._clients):
            client.write(line)
            if client.transport.get_write_buffer_size() > _MOST_UNREAD_BYTES:
                client.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._closing:  # it connected at the last moment
            writer.close()
            return
        self._clients.add(writer)
        handler = asyncio.current_task()
        self._handlers.add(handler)
        try:
            for message in self._greet():
                writer.write(as_line(message))
            while line := await reader.readline():
                answer = None if self._take is None else self._take(line.decode("utf-8", "replace"))
                if answer is not None:
                    writer.write(as_line(answer))
                    await writer.drain()
        except (ConnectionError, ValueError):
            return  # a client that broke off, or sent a line without an end (readline says so with ValueError)
        finally:
            self._handlers.discard(handler)
            self._clients.discard(writer)
            writer.close()
