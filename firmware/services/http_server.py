"""Serves HTTP on a socket that is bound already: a control socket, or the office's port.

The only place that imports uvicorn.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from firmware.services.peer import peer_name


class HttpServer:
    """An ASGI application that is being served; owns the listening socket from now on."""

    def __init__(self, application: Any, listener: socket.socket, *, most_connections: int | None = None) -> None:
        config = uvicorn.Config(
            application,
            log_config=None,
            lifespan="off",
            access_log=False,
            server_header=False,
            # It would need a look at the clock every second; a clock may be wrong here anyway.
            date_header=False,
            ws="none",
            http=_Connection,
            limit_concurrency=most_connections,
        )
        config.timeout_graceful_shutdown = 1
        # Who connects from now on waits; uvicorn's task begins a little later.
        listener.listen()
        self._listener = listener
        self._server = _Server(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[listener]))

    async def stop(self) -> None:
        """End what is being answered, and close the socket."""
        self._server.leave()
        await self._task
        self._listener.close()


class _Server(uvicorn.Server):
    """Leaves signals to the service that contains it, and sleeps until it is asked or told to leave.

    uvicorn's own looks ten times a second whether it should leave: that was most of what an idle service did.
    """

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
    """Tells the application who is at the other end of a Unix socket, as `request.client`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        bound = transport.get_extra_info("socket")
        if bound is not None and bound.family == socket.AF_UNIX:
            self.client = peer_name(bound)
