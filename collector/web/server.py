"""Serves an ASGI application over HTTP or HTTPS; the only module of the collector that imports uvicorn.

What uvicorn does not bound by itself is bounded here: how many connections there are, how long one may take over its
headers, and how long over reading its answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import resource
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from collector.errors import CollectorError
from firmware.uplink_contract.limits import MARK, MARK_HEADER

_HEADER_SECONDS = 30.0
_KEEP_ALIVE_SECONDS = 15
# Who reads less of an answer than this does not read it; a line of 64 kbit/s carries sixty times as much.
_READ_SECONDS = 30.0
_LEAST_READ_BYTES = 4096
# The largest request at the slowest bearable line, and its answer.
_FINISH_SECONDS = 30
_BACKLOG = 1024
_OTHER_FILES = 256


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files: the certificate with its chain, and its key."""

    certificate: Path
    key: Path


class WebServer:
    """An application that is being served; owns the listening socket from now on.

    A connection beyond `most_connections` is closed at once.
    """

    def __init__(
        self, application: ASGIApp, listener: socket.socket, tls: Tls | None = None, *, most_connections: int = 2000
    ) -> None:
        # A class of its own for this server: uvicorn makes the objects, and tells them nothing of ours.
        protocol = type("Connection", (_Connection,), {"most_connections": most_connections})
        config = uvicorn.Config(
            application,
            log_config=None,
            log_level="error",
            lifespan="off",
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            ws="none",
            loop="none",
            http=protocol,
            backlog=_BACKLOG,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_FINISH_SECONDS,
            ssl_certfile=tls.certificate if tls else None,
            ssl_keyfile=tls.key if tls else None,
        )
        _load(config, tls)
        # Who connects from now on waits; uvicorn's task begins a little later.
        listener.listen(_BACKLOG)
        self._listener = listener
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._server.server_state.connections)

    async def wait(self) -> None:
        """Returns, or raises, when it serves no more."""
        await asyncio.shield(self._task)

    async def stop(self) -> None:
        """Take no more connections, finish what is being answered, and close."""
        self._server.leave()
        await self._task
        self._listener.close()


def listen_at(place: str) -> socket.socket:
    """Bind `HOST:PORT` (`[::1]:8443` for IPv6; port 0 picks one). Raises: CollectorError."""
    host, _, port = place.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal():
        raise CollectorError(f"{place}: an address is HOST:PORT, such as 127.0.0.1:8080")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except (OSError, OverflowError) as error:
        raise CollectorError(f"{place} cannot be listened at: {error}; name another address") from error
    listener.setblocking(False)
    return listener


def allow_connections(count: int) -> None:
    """Raise this process's limit of open files, as far as it may: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + _OTHER_FILES
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))


def is_loopback(listener: socket.socket) -> bool:
    """Whether only this machine can connect."""
    return ipaddress.ip_address(listener.getsockname()[0]).is_loopback


def _load(config: uvicorn.Config, tls: Tls | None) -> None:
    try:
        config.load()
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        assert tls is not None
        raise CollectorError(f"{tls.certificate} and {tls.key} are no certificate and its key in PEM") from error


class _Server(uvicorn.Server):
    """Leaves signals to the service that contains it, and sleeps until it is told to leave."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """Let `serve` return."""
        self.should_exit = True
        self._leaving.set()

    async def main_loop(self) -> None:
        """As uvicorn's, without a tick."""
        await self.on_tick(0)
        await self._leaving.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Connection(H11Protocol):
    """A connection with limits, whose own answers are those of a collector, too."""

    most_connections = 0
    _deadline: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.most_connections:
            transport.abort()
        else:
            self._watch_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._end_watch()
        self._end_reading()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch_headers()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch_headers()

    def pause_writing(self) -> None:
        """More of an answer waits than the transport likes to hold."""
        super().pause_writing()
        self._watch_reader()

    def resume_writing(self) -> None:
        """The client has read nearly all of it."""
        super().resume_writing()
        self._end_reading()

    def send_400_response(self, msg: str) -> None:
        """Not even HTTP: told in our own words."""
        headers: list[Any] = [("content-type", "application/json"), ("connection", "close"), (MARK_HEADER, MARK)]
        body = json.dumps({"error": "malformed", "message": msg}).encode()
        headers.append(("content-length", str(len(body))))
        with contextlib.suppress(h11.LocalProtocolError):  # in the middle of an answer nothing can be said any more
            for event in (h11.Response(status_code=400, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _watch_headers(self) -> None:
        waiting = self.cycle is None or self.cycle.response_complete
        if not waiting:
            self._end_watch()
        elif self._deadline is None:
            # Also where it is to be closed: the rest of an answer that nobody reads would keep it open for ever.
            self._deadline = self.loop.call_later(_HEADER_SECONDS, self._headers_late)

    def _headers_late(self) -> None:
        self._deadline = None
        if self._reading is None:
            self.transport.abort()
        else:  # it is still reading the last answer
            self._watch_headers()

    def _watch_reader(self) -> None:
        unread = self.transport.get_write_buffer_size()
        self._reading = self.loop.call_later(_READ_SECONDS, self._judge_reader, unread)

    def _judge_reader(self, before: int) -> None:
        if self.transport.get_write_buffer_size() > before - _LEAST_READ_BYTES:
            self.transport.abort()
        else:
            self._watch_reader()

    def _end_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _end_watch(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
