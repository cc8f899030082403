"""HTTP to a far end: bounded in time and size, capped in rate. The only place of this package that imports httpx."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx

from firmware.errors import DeliveryError, DeliveryRefused, FarEndUnreachable
from firmware.ports import Clock
from firmware.sync.addresses import expect_private, host_of, is_loopback
from firmware.sync.rate import PIECE_BYTES, ByteRate
from firmware.sync.tls import make_context, tls_failure

MOST_ANSWER_BYTES = 2 * 1024 * 1024
# A far end that does not even take a connection for so long is not there; a busy one answers 429 or 503.
_CONNECT_SECONDS = 15.0
_UNCAPPED_PIECE_BYTES = 64 * 1024


class Body(Protocol):
    """What is sent; its size is known before, so that nothing cut off passes for the whole."""

    @property
    def byte_count(self) -> int:
        """All of it."""

    def pieces(self) -> AsyncIterator[bytes]:
        """From the beginning. Raises: StorageError."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. Redirects are answers as well: they are never followed."""

    status: int
    headers: Mapping[str, str]
    """Names are found in any case."""
    body: bytes


@dataclass(frozen=True, slots=True)
class CallerSettings:
    """How to reach far ends."""

    timeout_seconds: float = 60.0
    proxy: str | None = None
    """None: the environment's, and none to this machine itself."""
    authority_file: Path | None = None


class HttpCaller:
    """One connection, or a few, to one far end. `close` it at the end."""

    def __init__(self, settings: CallerSettings, rate: ByteRate, clock: Clock) -> None:
        self._settings = settings
        self._rate = rate
        self._clock = clock
        self._clients: dict[bool, httpx.AsyncClient] = {}
        self._making = asyncio.Lock()
        self.bytes_sent = 0
        """Of bodies, for progress: also of those that were not answered."""

    async def call(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | Body = b"",
        most_bytes: int = MOST_ANSWER_BYTES,
    ) -> Reply:
        """One request and its whole answer, whatever it says.

        Raises: FarEndUnreachable, ClockWrong, DeliveryRefused (plain http to another machine, unusable authority_file).
        """
        expect_private(url)
        size = len(body) if isinstance(body, bytes) else body.byte_count
        # What the cap holds back is not the far end's silence.
        limit_seconds = self._settings.timeout_seconds + self._rate.longest_seconds(size)
        try:
            async with asyncio.timeout(limit_seconds):
                client = await self._client(loopback=is_loopback(url))
                request = client.build_request(
                    method,
                    url,
                    headers={**(headers or {}), "Content-Length": str(size), "Accept-Encoding": "identity"},
                    content=self._paced(body) if size else None,
                )
                return await _answer(client, request, most_bytes)
        except TimeoutError as error:
            raise FarEndUnreachable(f"{host_of(url)} gave no answer within {limit_seconds:.0f} s") from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise self._failure(error, url) from error

    async def close(self) -> None:
        """Let go of connections. Idempotent; another call connects anew."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()

    async def _client(self, *, loopback: bool) -> httpx.AsyncClient:
        async with self._making:
            if loopback not in self._clients:
                self._clients[loopback] = await self._make(loopback=loopback)
            return self._clients[loopback]

    async def _make(self, *, loopback: bool) -> httpx.AsyncClient:
        context = await asyncio.to_thread(make_context, self._settings.authority_file)
        seconds = self._settings.timeout_seconds
        try:
            return httpx.AsyncClient(
                verify=context,
                proxy=None if loopback else self._settings.proxy,
                trust_env=not loopback and self._settings.proxy is None,
                follow_redirects=False,
                timeout=httpx.Timeout(seconds, connect=min(seconds / 2, _CONNECT_SECONDS)),
            )
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            # The environment's: SOCKS, which needs a package more, or no URL at all.
            raise DeliveryRefused(
                f"the proxy of this machine's environment cannot be used ({error}); set sync.proxy"
            ) from error

    async def _paced(self, body: bytes | Body) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        piece_bytes = PIECE_BYTES if self._rate.bytes_per_second is not None else _UNCAPPED_PIECE_BYTES
        async for piece in _pieces(body, piece_bytes):
            if wait_seconds := self._rate.wait_seconds(len(piece), loop.time()):
                await asyncio.sleep(wait_seconds)
            self.bytes_sent += len(piece)
            yield piece

    def _failure(self, error: Exception, url: str) -> DeliveryError:
        host = host_of(url)
        if (told := tls_failure(error, host, self._clock)) is not None:
            return told
        if isinstance(error, httpx.ConnectTimeout | httpx.ConnectError):
            return FarEndUnreachable(
                f"{host} cannot be reached ({error or type(error).__name__}); is the network there?"
            )
        if isinstance(error, httpx.ProxyError):
            return FarEndUnreachable(f"the proxy does not let {host} be reached ({error}); check sync.proxy")
        return FarEndUnreachable(f"the connection to {host} broke ({error or type(error).__name__})")


async def _answer(client: httpx.AsyncClient, request: httpx.Request, most_bytes: int) -> Reply:
    response = await client.send(request, stream=True)
    try:
        body = bytearray()
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > most_bytes:
                raise FarEndUnreachable(
                    f"{request.url.host} answered with more than {most_bytes} bytes; nothing asked for that"
                )
        return Reply(response.status_code, response.headers, bytes(body))
    finally:
        await response.aclose()


async def _pieces(body: bytes | Body, most_bytes: int) -> AsyncIterator[bytes]:
    if isinstance(body, bytes):
        for start in range(0, len(body), most_bytes):
            yield body[start : start + most_bytes]
        return
    async for large in body.pieces():
        for start in range(0, len(large), most_bytes):
            yield large[start : start + most_bytes]
