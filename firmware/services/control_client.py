"""Asks a running service through its control socket. The only place that imports httpx."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from firmware.errors import RecordNotFound, ServiceAbsent, ServiceError

_ASK_SECONDS = 3.0
_NO_SOCKET = "no socket"
# The second is httpx's word for a connection that was refused.
_NOBODY_LISTENS = (_NO_SOCKET, httpx.ConnectError.__name__)
# httpx would else read the certificates of the whole world for every request, 50 ms of work in the event loop's thread
# for something that a Unix socket never asks for.
_NO_TLS = False
# Some actions wait for a call to end in good form.
_ACTION_SECONDS = 30.0


class ControlClient:
    """One service's control API."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, view: str) -> Any:
        """A view's JSON value. Raises: ServiceError where the service is not running."""
        self._expect_socket()
        with self._opened() as client:
            return self._read(client, view)

    async def ask(self, action: str, **details: Any) -> Any:
        """Let the service do something; the JSON value it answers.

        Raises: ServiceError where it is not running, or says why it does not.
        """
        self._expect_socket()
        transport = httpx.AsyncHTTPTransport(uds=str(self._path), verify=_NO_TLS)
        try:
            async with httpx.AsyncClient(
                transport=transport, base_url="http://service", timeout=_ACTION_SECONDS
            ) as client:
                answer = await client.post(f"/v1/{action}", json=details)
                value = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise self._not_running(type(error).__name__) from error
        if answer.is_error:
            told = value.get("error") if isinstance(value, dict) else None
            raise ServiceError(str(told or answer.reason_phrase))
        return value

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """Every event from now on, until the service ends. Raises: ServiceError where it is not running."""
        async with self._stream("/v1/events") as response:
            async for line in response.aiter_lines():
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))

    async def audio(self, line: str) -> AsyncIterator[bytes]:
        """The sound of a line as s16 (see `MonitorDesk.listen`), until a call on it ends.

        Raises: ServiceError where the service is not running; RecordNotFound for a line that it has not.
        """
        async with self._stream(f"/v1/lines/{line}/audio") as response:
            if response.status_code == httpx.codes.NOT_FOUND:
                await response.aread()
                raise RecordNotFound(response.json()["error"])
            rest = b""
            async for data in response.raise_for_status().aiter_bytes():
                # A sample may lie across two pieces.
                data = rest + data
                whole = len(data) - len(data) % 2
                yield data[:whole]
                rest = data[whole:]

    @asynccontextmanager
    async def _stream(self, path: str) -> AsyncIterator[httpx.Response]:
        """An answer that goes on. Raises: ServiceError."""
        self._expect_socket()
        transport = httpx.AsyncHTTPTransport(uds=str(self._path), verify=_NO_TLS)
        timeout = httpx.Timeout(_ASK_SECONDS, read=None)
        try:
            async with (
                httpx.AsyncClient(transport=transport, base_url="http://service", timeout=timeout) as client,
                client.stream("GET", path) as response,
            ):
                yield response
        except httpx.HTTPError as error:
            raise self._not_running(type(error).__name__) from error

    def _opened(self) -> httpx.Client:
        transport = httpx.HTTPTransport(uds=str(self._path), verify=_NO_TLS)
        return httpx.Client(transport=transport, base_url="http://service", timeout=_ASK_SECONDS)

    def _read(self, client: httpx.Client, view: str) -> Any:
        try:
            return client.get(f"/v1/{view}").raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise self._not_running(type(error).__name__) from error

    def _expect_socket(self) -> None:
        # Told apart here, because httpcore leaks its socket where it cannot connect.
        if not self._path.is_socket():
            raise self._not_running(_NO_SOCKET)

    def _not_running(self, why: str) -> ServiceError:
        kind = ServiceAbsent if why in _NOBODY_LISTENS else ServiceError
        return kind(f"no service answers at {self._path} ({why}); start it with: linekeeper run")


class LastingClient(ControlClient):
    """Keeps its connection for the next `get`: for whoever asks every few seconds. `close` it at the end.

    A service that was started again is connected to anew.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._kept = self._opened()

    def get(self, view: str) -> Any:
        """See `ControlClient`. Several threads may ask at once."""
        self._expect_socket()
        return self._read(self._kept, view)

    def close(self) -> None:
        """Let go of the connection. Idempotent."""
        self._kept.close()
