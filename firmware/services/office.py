"""The office service: the status page on the local network. It touches no device, and writes nothing.

Deliberately small: pages for messages and callback requests, with users and permissions, are a later matter.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

from firmware.durable_files import free_bytes
from firmware.errors import LinekeeperError, ServiceError
from firmware.journal import journal
from firmware.office.facts import DeliveryFact, Facts, LineFact, PowerFact
from firmware.office.web import OfficeWeb
from firmware.services.alive import control_probe
from firmware.services.control import ControlServer
from firmware.services.control_client import ControlClient
from firmware.services.event_hub import EventHub
from firmware.services.http_server import HttpServer
from firmware.services.line_view import list_lines
from firmware.services.paths import control_socket
from firmware.services.service import Probe
from firmware.services.version import version
from firmware.settings import Settings
from firmware.storage.queries import Records

_log = journal("office")
_MEGABYTE = 1_000_000
_LISTEN_AGAIN_SECONDS = 10.0
# Whoever asks more often than this gets the answer of before: a page open on many phones must cost the callers nothing.
_FRESH_SECONDS = 1.0
_MOST_CONNECTIONS = 64


class OfficeService:
    """The page at `office.listen`, and the view `status` at the socket `office.sock`.

    An address that is taken is tried again and told as the service's status: nothing else waits for it.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._path = control_socket(settings, "office")
        hub: EventHub[Any] = EventHub()
        self._control = ControlServer(self._path, {"status": self.status}, hub)
        self._web = OfficeWeb(self.facts, settings.languages[0])
        self._server: HttpServer | None = None
        self._trouble: str | None = None
        self._opening: asyncio.Task[None] | None = None
        self._latest: asyncio.Task[Facts] | None = None
        self._asked_at = float("-inf")

    async def __aenter__(self) -> Self:
        await self._control.start()
        if not self._try_to_listen():
            self._opening = asyncio.create_task(self._keep_trying())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._opening is not None:
            self._opening.cancel()
        if self._server is not None:
            await self._server.stop()
        await self._control.stop()

    async def ready(self) -> None:
        """At once: lines do not wait for a page."""

    def probes(self) -> Sequence[Probe]:
        """Its socket."""
        return [control_probe(self._path)]

    def sentence(self) -> str:
        """Where the page is."""
        return self._trouble or f"the status page is at http://{self._settings.office.listen}/"

    def status(self) -> dict[str, Any]:
        """For other services and monitoring."""
        return {"listen": self._settings.office.listen, "fault": self._trouble}

    async def facts(self) -> Facts:
        """How the appliance is, at most a second old; what cannot be found out is None."""
        now = asyncio.get_running_loop().time()
        if self._latest is None or now - self._asked_at > _FRESH_SECONDS:
            self._asked_at = now
            self._latest = asyncio.create_task(asyncio.to_thread(find_facts, self._settings))
        return await asyncio.shield(self._latest)

    def _try_to_listen(self) -> bool:
        host, _, port = self._settings.office.listen.rpartition(":")
        try:
            listener = socket.create_server((host, int(port)), family=_family(host))
        except (OSError, OverflowError) as error:
            self._trouble = (
                f"nobody can see the status page, as {self._settings.office.listen} cannot be used ({error}); "
                "name another address in office.listen"
            )
            return False
        listener.setblocking(False)
        self._server = HttpServer(self._web, listener, most_connections=_MOST_CONNECTIONS)
        self._trouble = None
        return True

    async def _keep_trying(self) -> None:
        _log.warning("no status page yet", problem=self._trouble)
        while True:
            await asyncio.sleep(_LISTEN_AGAIN_SECONDS)
            if self._try_to_listen():
                break
        _log.info("the status page can be seen", listen=self._settings.office.listen)


def find_facts(settings: Settings) -> Facts:
    """Ask everybody; blocks, and never raises for what it finds."""
    lines = (LineFact(line["name"], line["state"], line["fault"]) for line in list_lines(settings))
    free = _free_bytes(settings)
    return Facts(
        version=version(),
        lines=tuple(lines),
        power=_power(settings),
        free_megabytes=None if free is None else free // _MEGABYTE,
        voice_room=None if free is None else free > settings.calls.keep_free_megabytes * _MEGABYTE,
        open_incidents=_open_incidents(settings),
        delivery=_delivery(settings),
    )


def _delivery(settings: Settings) -> DeliveryFact | None:
    try:
        status = ControlClient(control_socket(settings, "sync")).get("status")
        if not status["routes"]:
            return None
        return DeliveryFact(status["queued"], status["oldest_seconds"], status["quarantined"])
    except (ServiceError, KeyError, TypeError):
        return DeliveryFact() if settings.sync.mode != "off" else None


def _power(settings: Settings) -> PowerFact:
    try:
        status = ControlClient(control_socket(settings, "power")).get("status")
        return PowerFact(status["state"], status["tier"], status["battery_percent"], status["proved"])
    except (ServiceError, KeyError, TypeError):
        return PowerFact("unknown")


def _free_bytes(settings: Settings) -> int | None:
    try:
        return free_bytes(settings.data_dir)
    except OSError:
        return None


def _open_incidents(settings: Settings) -> int | None:
    try:
        with Records(settings.data_dir, ZoneInfo(settings.time_zone)) as records:
            return sum(incident["ended_at"] is None for incident in records.incidents())
    except (LinekeeperError, OSError):
        return None


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
