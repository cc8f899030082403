"""The wire to a modem."""

from __future__ import annotations

from typing import Protocol

from firmware.errors import PortError


class WireReceiver(Protocol):
    """Who reads a wire. Both methods are called from the event loop and must not block or raise."""

    def bytes_received(self, data: bytes) -> None:
        """Bytes from the modem, as they came."""

    def wire_lost(self, error: PortError) -> None:
        """The wire is gone; called at most once, and not after our own `close`."""


class ByteWire(Protocol):
    """An open pipe of bytes to one modem: a tty, or the bench's wire in memory."""

    def start(self, receiver: WireReceiver) -> None:
        """Begin to deliver. Bytes that came before are delivered first."""

    def write(self, data: bytes) -> None:
        """Queue bytes for the modem; never blocks. After the wire is lost it does nothing."""

    def discard_output(self) -> None:
        """Throw away what was written and has not left yet: our queue and the kernel's (TCOFLUSH)."""

    def gather_input(self, gathering: bool) -> None:
        """While on, bytes may be delivered up to 0.1 s late and together, which costs fewer wake-ups. Off at first."""

    async def close(self) -> None:
        """Give the port back. Idempotent."""


class WireOpener(Protocol):
    """Opens the wire to one modem, again after every loss."""

    @property
    def place(self) -> str:
        """Where the wire leads, for messages: a device path."""

    async def __call__(self) -> ByteWire:
        """Raises: PortMissing, PortBusy, PortDenied."""
