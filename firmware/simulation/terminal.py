"""Somebody typing at a modem: the plainest user of a byte wire there is."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from firmware.errors import PortError
from firmware.ports import ByteWire, WireOpener
from firmware.simulation.bench import Bench
from firmware.simulation.call import Call
from firmware.simulation.exchange_events import ExchangeEvent, Happening
from firmware.simulation.modem.faults import ModemFaults


class Terminal:
    """Keeps what came, and when; implements `ports.WireReceiver`."""

    def __init__(self) -> None:
        self.arrivals: list[tuple[float, bytes]] = []
        self.lost: PortError | None = None
        self._fresh = bytearray()
        self._wire: ByteWire | None = None

    @property
    def wire(self) -> ByteWire:
        """The open wire."""
        assert self._wire is not None
        return self._wire

    async def open(self, opener: WireOpener) -> None:
        """Raises: PortMissing, PortBusy, PortDenied."""
        self._wire = await opener()
        self._wire.start(self)

    def bytes_received(self, data: bytes) -> None:
        """Keep them."""
        self.arrivals.append((asyncio.get_running_loop().time(), data))
        self._fresh += data

    def wire_lost(self, error: PortError) -> None:
        """Keep the reason."""
        self.lost = error

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.wire.write(data)

    def take(self) -> bytes:
        """What came since the last time."""
        fresh = bytes(self._fresh)
        self._fresh.clear()
        return fresh

    async def command(self, line: str, seconds: float = 0.2) -> str:
        """Type a line; what came within the time, each line of it behind the other without the empty ones."""
        self.take()
        self.write(line.encode("latin-1") + b"\r")
        await asyncio.sleep(seconds)
        return "\n".join(filter(None, self.take().decode("latin-1").replace("\r", "\n").split("\n")))


class Desk:
    """One line, one modem in memory, and a terminal on it; plugged in and open inside the context."""

    def __init__(self, profile: str = "conexant", faults: ModemFaults | None = None) -> None:
        self.bench = Bench(1, profile, faults=faults)
        self.line = self.bench.lines[0]
        self.modem = self.line.modem
        self.terminal = Terminal()
        self.happened: list[ExchangeEvent] = []

    async def __aenter__(self) -> Self:
        self.bench.exchange.watch(self.happened.append)
        await self.bench.__aenter__()
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.bench.__aexit__(kind, error, trace)

    async def open(self) -> None:
        """Open the wire (again) and turn the echo off."""
        assert self.line.opener is not None
        await self.terminal.open(self.line.opener)
        await self.terminal.command("ATE0", 0.05)

    async def type(self, *lines: str) -> list[str]:
        """Type lines one after another; what came for each."""
        return [await self.terminal.command(line) for line in lines]

    async def call(self, number: str = "13800138000") -> Call:
        """A caller rings, and the modem takes the call in voice class."""
        call = await self.bench.caller(number).dial(self.line.card)
        await self.type("AT+FCLASS=8", "AT+VLS=1")
        await call.answered(1.0)
        self.terminal.take()
        return call

    def told(self, happening: Happening) -> list[str]:
        """The details of what happened of one kind."""
        return [event.detail for event in self.happened if event.happening is happening]
