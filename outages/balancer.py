"""The balancer before the collectors' copies: ends TLS, passes each request to the next copy, and tells of moments.

It is the plain kind that people put there: it knows nothing of collectors, and where no copy answers it says 502 in
HTML of its own. Standing where it sees both sides, it also counts, and lets a break happen at an exact instant.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from outages.breaks import Moment
from outages.http_text import Head, read_head

_HEAD_LIMIT = 64 * 1024
_COPY_SECONDS = 30.0
_CONNECT_SECONDS = 2.0
_NOBODY = b"<html><body><h1>502 Bad Gateway</h1></body></html>"

Watcher = Callable[[Moment], Awaitable[None]]


async def _nothing(_: Moment) -> None:
    return


class Balancer:
    """`start` and `stop`. `watcher` is awaited at each moment, and the request waits meanwhile."""

    def __init__(self, ports: Sequence[int], tls: ssl.SSLContext | None) -> None:
        self._ports = ports
        self._turn = itertools.cycle(range(len(ports)))
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()
        self.watcher: Watcher = _nothing
        self.outcomes: Counter[str] = Counter()
        """Of records, as the collectors answered."""
        self.statuses: Counter[int] = Counter()
        self.blobs_done = 0
        self.body_bytes = 0
        """Bodies of requests, as far as they came."""

    async def start(self, host: str, port: int = 0) -> int:
        """Listen; returns the port."""
        self._server = await asyncio.start_server(self._serve, host, port, ssl=self._tls, limit=_HEAD_LIMIT)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Let go of everybody."""
        assert self._server is not None
        self._server.close()
        for client in [*self._clients]:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            # A client that vanishes, sends half a head, or breaks its TLS is gone; the next one is served.
            with suppress(OSError, EOFError, ValueError, ssl.SSLError):
                while await self._pass_on(reader, writer):
                    pass
        finally:
            self._clients.discard(task)
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await read_head(reader)
        if head is None:
            return False
        body = await self._body(reader, head)
        try:
            async with asyncio.timeout(_COPY_SECONDS):
                answer, answer_body = await self._ask_a_copy(head, body)
        except (OSError, EOFError, ValueError):
            answer, answer_body = Head.answer(502, "text/html", len(_NOBODY)), _NOBODY
        self._count(head, answer, answer_body)
        await self.watcher(self._kept_moment(head, answer_body))
        writer.write(answer.with_length(len(answer_body)) + answer_body)
        await writer.drain()
        return True

    async def _body(self, reader: asyncio.StreamReader, head: Head) -> bytes:
        first = await reader.readexactly(head.length // 2)
        self.body_bytes += len(first)
        if head.is_blob_part:
            await self.watcher(Moment.MID_BLOB)
        elif head.is_batch:
            await self.watcher(Moment.MID_BATCH)
        rest = await reader.readexactly(head.length - len(first))
        self.body_bytes += len(rest)
        return first + rest

    async def _ask_a_copy(self, head: Head, body: bytes) -> tuple[Head, bytes]:
        reader, writer = await self._connect()
        try:
            writer.write(head.closing() + body)
            if head.is_batch:
                await self.watcher(Moment.STORING)
            await writer.drain()
            answer = await read_head(reader)
            if answer is None:
                raise EOFError("the copy closed without an answer")
            return answer, await reader.readexactly(answer.length) if answer.has_length else await reader.read()
        finally:
            writer.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        failure: OSError = ConnectionRefusedError("no copy listens")
        for _ in self._ports:
            port = self._ports[next(self._turn)]
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    return await asyncio.open_connection("127.0.0.1", port, limit=_HEAD_LIMIT)
            except OSError as error:
                failure = error
        raise failure

    def _count(self, head: Head, answer: Head, body: bytes) -> None:
        self.statuses[answer.status] += 1
        if answer.status != 200:
            return
        if head.is_batch:
            self.outcomes.update(item["outcome"] for item in json.loads(body)["answers"])
        elif head.is_blob_part and _is_complete(body):
            self.blobs_done += 1

    @staticmethod
    def _kept_moment(head: Head, body: bytes) -> Moment:
        if head.is_batch:
            return Moment.COMMITTED
        return Moment.BLOB_KEPT if head.is_blob_part and _is_complete(body) else Moment.ANY


def _is_complete(body: bytes) -> bool:
    return b'"complete":true' in body.replace(b" ", b"")
