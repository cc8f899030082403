"""A far end that is made when it is first connected: what it needs from the disk may not be there at the start."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from firmware.ports import Answer, Entry, Uplink


class LateUplink:
    """A `ports.Uplink`. A sender connects before it delivers."""

    def __init__(
        self, make: Callable[[], Awaitable[Uplink]], closing: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        self._make = make
        self._closing = closing
        self._uplink: Uplink | None = None

    async def connect(self) -> None:
        """Idempotent. Raises: what making it raises."""
        if self._uplink is None:
            self._uplink = await self._make()

    async def deliver(self, entries: Sequence[Entry]) -> Sequence[Answer]:
        """As the far end does."""
        await self.connect()
        assert self._uplink is not None
        return await self._uplink.deliver(entries)

    async def close(self) -> None:
        """Idempotent."""
        if self._uplink is not None:
            await self._uplink.close()
        if self._closing is not None:
            await self._closing()
