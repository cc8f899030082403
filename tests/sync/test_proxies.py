"""A far end behind a proxy of the network."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from firmware.clock import SystemClock
from firmware.errors import DeliveryRefused, FarEndUnreachable
from firmware.sync.http_caller import CallerSettings, HttpCaller
from firmware.sync.rate import ByteRate
from tests.sync.raw_server import answer, raw_server

_HOST = "collector.example"


@asynccontextmanager
async def connect_proxy(port: int, *, lets_through: bool = True) -> AsyncIterator[tuple[str, list[str]]]:
    """Its URL, and what it was asked for; whatever that is, it leads to `port` of this machine."""
    asked: list[str] = []
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        writers = [writer]
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            asked.append((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0].decode())
            if lets_through:
                there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
                writers.append(there_writer)
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await asyncio.gather(_pump(reader, there_writer), _pump(there_reader, writer))
            else:
                writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        for each in writers:
            each.close()
            with contextlib.suppress(OSError):
                await each.wait_closed()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(4096):
        writer.write(data)
        await writer.drain()
    writer.close()


@pytest.fixture
async def far_end(tmp_path: Path) -> AsyncIterator[tuple[int, Path]]:
    """Port and authority of a TLS server that is called `collector.example`."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(_HOST).configure_cert(context)

    async def handle(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(b"{}"))

    async with raw_server(handle, context) as url:
        yield int(url.rpartition(":")[2]), tmp_path / "authority.pem"


async def reached(settings: CallerSettings, url: str = f"https://{_HOST}/v1") -> int:
    caller = HttpCaller(settings, ByteRate(None), SystemClock())
    try:
        return (await caller.call("GET", url)).status
    finally:
        await caller.close()


@pytest.mark.parametrize("by", ["setting", "environment"])
async def test_far_end_is_reached_through_the_proxy(
    far_end: tuple[int, Path], monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    port, authority = far_end
    async with connect_proxy(port) as (proxy, asked):
        if by == "environment":
            monkeypatch.setenv("HTTPS_PROXY", proxy)
        settings = CallerSettings(5, proxy if by == "setting" else None, authority)
        assert await reached(settings) == 200
        assert asked == [f"CONNECT {_HOST}:443 HTTP/1.1"]


async def test_proxy_that_lets_nobody_through_is_named(far_end: tuple[int, Path]) -> None:
    port, authority = far_end
    async with connect_proxy(port, lets_through=False) as (proxy, _):
        with pytest.raises(FarEndUnreachable, match=r"sync\.proxy"):
            await reached(CallerSettings(5, proxy, authority))


async def test_this_machine_is_never_asked_of_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async def handle(_request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(b"{}"))

    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    async with raw_server(handle) as url:
        assert await reached(CallerSettings(5), url) == 200
        assert await reached(CallerSettings(5, "http://127.0.0.1:1"), url) == 200


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "ftp://127.0.0.1:21", "http://[::1"])
async def test_a_proxy_of_the_environment_that_cannot_be_used_is_told(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    caller = HttpCaller(CallerSettings(), ByteRate(None), SystemClock())
    with pytest.raises(DeliveryRefused, match=r"set sync\.proxy"):
        await caller.call("GET", f"https://{_HOST}/")
