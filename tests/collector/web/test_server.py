"""What the server bounds by itself."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from starlette.types import Receive, Scope, Send

from collector.web.server import WebServer, listen_at

_MEGABYTE = 1024 * 1024
_SLOWLY_READ = 400_000


async def _long_answer(scope: Scope, _: Receive, send: Send) -> None:
    size = int(scope["path"].strip("/"))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % size)]})
    await send({"type": "http.response.body", "body": bytes(size)})


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[WebServer, tuple[str, int]]]:
    monkeypatch.setattr("collector.web.server._READ_SECONDS", 0.3)
    monkeypatch.setattr("collector.web.server._HEADER_SECONDS", 0.3)
    listener = listen_at("127.0.0.1:0")
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    made = WebServer(_long_answer, listener)
    yield made, listener.getsockname()
    await made.stop()


def _narrow(address: tuple[str, int], request: bytes) -> socket.socket:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(address)
    client.sendall(request)
    client.setblocking(False)
    return client


async def _until_closed(server: WebServer) -> None:
    async with asyncio.timeout(10):
        while not server.connections:
            await asyncio.sleep(0.01)
        while server.connections:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("size", [40_000, 4 * _MEGABYTE])
@pytest.mark.parametrize(("request_count", "more"), [(1, ""), (3, ""), (1, "Connection: close\r\n")])
async def test_an_answer_that_nobody_reads_is_given_up(
    server: tuple[WebServer, tuple[str, int]], size: int, request_count: int, more: str
) -> None:
    made, address = server
    with _narrow(address, f"GET /{size} HTTP/1.1\r\nHost: x\r\n{more}\r\n".encode() * request_count):
        await _until_closed(made)


async def test_who_reads_slowly_gets_all_of_it(server: tuple[WebServer, tuple[str, int]]) -> None:
    _, address = server
    got = 0
    with _narrow(address, f"GET /{_SLOWLY_READ} HTTP/1.1\r\nHost: x\r\n\r\n".encode()) as client:
        while piece := await asyncio.get_running_loop().sock_recv(client, 64 * 1024):
            got += len(piece)
            await asyncio.sleep(0.02)
    assert got > _SLOWLY_READ
