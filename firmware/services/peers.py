"""The other services, as one of them sees them: asked over their control sockets."""

from __future__ import annotations

import asyncio
from typing import Any

from firmware.services.control_client import LastingClient
from firmware.services.paths import control_socket
from firmware.settings import Settings


class Peers:
    """`ask` and `view` raise ServiceError where the other service is not running, or says why it does not obey.

    `close` it at the end.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clients: dict[str, LastingClient] = {}

    async def ask(self, service: str, action: str, **details: Any) -> Any:
        """Let a service do something; what it answers."""
        return await self._client(service).ask(action, **details)

    async def view(self, service: str, name: str) -> Any:
        """What a service tells of itself."""
        return await asyncio.to_thread(self._client(service).get, name)

    def close(self) -> None:
        """Let go of every connection."""
        for client in self._clients.values():
            client.close()

    def _client(self, service: str) -> LastingClient:
        if service not in self._clients:
            self._clients[service] = LastingClient(control_socket(self._settings, service))
        return self._clients[service]
