"""`linekeeper demo --deliver`: records wait while the far end is away, and arrive once it is back.

The far end is a receiver of web hooks on loopback, in the demonstration's own process: it needs nothing else. While it
is away nobody listens at its port.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from firmware.errors import ServiceError
from firmware.services.bench_appliance import BenchAppliance
from firmware.services.control_client import ControlClient
from firmware.services.delivery_view import records_words, waiting_words
from firmware.services.http_server import HttpServer
from firmware.services.paths import control_socket
from firmware.sync.webhook_signing import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, signature

_SECRET_FILE = "hook-secret"  # noqa: S105 - the name of a file
_LONGEST_SECONDS = 60.0
_LOOK_SECONDS = 0.1

Tell = Callable[[str, str], None]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Delivery:
    """An asynchronous context manager: the far end. Its folder must be there."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / _SECRET_FILE
        self._receiver = _Receiver(secrets.token_hex(16).encode("ascii"))
        # Bound and not listening: nobody else gets the port, and whoever connects is refused.
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._server: HttpServer | None = None

    async def __aenter__(self) -> Self:
        self._file.write_bytes(self._receiver.secret)
        self._file.chmod(0o600)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            await self._server.stop()
        self._listener.close()

    def settings(self) -> str:
        """The section `sync` of an appliance that delivers here."""
        port = self._listener.getsockname()[1]
        url = f"http://127.0.0.1:{port}/"
        return f"sync: {{mode: webhook, url: '{url}', secret_file: {self._file}, spread_seconds: 0}}\n"

    async def show(self, appliance: BenchAppliance, tell: Tell) -> None:
        """What waits; the far end comes back; what arrived. Raises: ServiceError where not everything does."""
        tell("sync", f"the far end is away: {waiting_words(await appliance.sync.status())}")
        tell("sync", "it is back")
        began_seconds = asyncio.get_running_loop().time()
        self._server = HttpServer(self._receiver, self._listener)
        await ControlClient(control_socket(appliance.settings, "sync")).ask("wake", now=True)
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                await _delivered(appliance)
        except TimeoutError as error:
            raise ServiceError("the records were not delivered; `linekeeper sync status` tells why") from error
        seconds = asyncio.get_running_loop().time() - began_seconds
        tell("sync", f"{self._receiver.told()} delivered, {seconds:.1f} s; every signature is good")


async def _delivered(appliance: BenchAppliance) -> None:
    while True:
        if (await appliance.sync.status())["queued"] == 0:
            return
        await asyncio.sleep(_LOOK_SECONDS)


class _Receiver:
    """An ASGI application: each record is one POST. What is signed wrongly is not taken."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret
        self._records: set[str] = set()
        self._recordings: set[str] = set()

    def told(self) -> str:
        """How many came."""
        recordings = "1 recording" if len(self._recordings) == 1 else f"{len(self._recordings)} recordings"
        return f"{records_words(len(self._records))} and {recordings}"

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        good = self._is_good(headers, body)
        if good:
            self._note(headers)
        await send({"type": "http.response.start", "status": 204 if good else 401, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def _note(self, headers: dict[str, str]) -> None:
        record = headers[ID_HEADER].partition(".")[0]
        self._records.add(record)
        if headers["content-type"].startswith("multipart/"):
            self._recordings.add(record)

    def _is_good(self, headers: dict[str, str], body: bytes) -> bool:
        right = signature(self.secret, headers[ID_HEADER], int(headers[TIMESTAMP_HEADER]), [body])
        return hmac.compare_digest(right, headers[SIGNATURE_HEADER])
