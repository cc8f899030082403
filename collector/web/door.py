"""Where a signed request comes in: signature, a place, nonce and deny list; and only then its body."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from fastapi import Request

from collector.identity.gatekeeper import Caller, Gatekeeper, check_body
from collector.web.bodies import read_body
from collector.web.room import Room

# Whoever has no key yet sends two kilobytes, and must not keep the few places for those who have a code.
_STRANGER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of an appliance that proved to be itself."""

    caller: Caller
    body: bytes


class Door:
    """Lets signed requests in, for as long as their `async with` block lasts."""

    def __init__(self, gatekeeper: Gatekeeper, room: Room) -> None:
        self._gatekeeper = gatekeeper
        self.room = room

    @asynccontextmanager
    async def open(
        self, request: Request, device: str, *, most_bytes: int = 0, renewing: bool = False, audio: bool = False
    ) -> AsyncIterator[Visit]:
        """A request for `device`, with a body of at most `most_bytes`. Raises: Refusal, CollectorError."""
        claimant = self._gatekeeper.look(
            request.method, raw_target(request), UUID(device), request.headers, renewing=renewing
        )
        with self.room.place(device):
            caller = await self._gatekeeper.admit(claimant)
            body = await read_body(request, most_bytes)
            check_body(claimant, body)
            async with self.room.work(audio=audio):
                yield Visit(caller, body)

    @asynccontextmanager
    async def open_to_anybody(self, request: Request, most_bytes: int) -> AsyncIterator[bytes]:
        """A request that nobody signed: its body. Raises: Refusal."""
        with self.room.place(""):
            body = await read_body(request, most_bytes, _STRANGER_SECONDS)
            async with self.room.work():
                yield body


def raw_target(request: Request) -> str:
    """Path and query exactly as they came; what is no ASCII is told apart, and no signature fits it."""
    path: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    query: bytes = request.scope["query_string"]
    return (path + b"?" + query if query else path).decode("latin-1")
