"""The modem's way out to its host: framing of results, and everything that may go wrong with bytes on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum

from firmware.simulation.modem.faults import ModemFaults
from firmware.simulation.wires import HostWire

NUMERIC_RESULTS = {
    "OK": "0",
    "CONNECT": "1",
    "RING": "2",
    "NO CARRIER": "3",
    "ERROR": "4",
    "NO DIALTONE": "6",
    "NO DIAL TONE": "6",
    "BUSY": "7",
    "NO ANSWER": "8",
}


class Direction(Enum):
    """Who sent the bytes that a traffic hook sees. DISCARDED: the host flushed its queue; the bytes are not shown."""

    TO_MODEM = ">"
    FROM_MODEM = "<"
    DISCARDED = "x"


Traffic = Callable[[Direction, bytes, float], None]


class Outlet:
    """Sends to the host as the faults allow: in pieces, in bursts, up to a brown-out."""

    def __init__(self, wire: HostWire, browned_out: Callable[[], None], traffic: Traffic | None) -> None:
        self.faults = ModemFaults()
        self.powered = False
        self._wire = wire
        self._browned_out = browned_out
        self.traffic = traffic
        self._passed_bytes = 0
        self._held = bytearray()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def backlog_bytes(self) -> int:
        """What the host has not taken yet."""
        return self._wire.backlog_bytes + len(self._held)

    def power(self, *, on: bool) -> None:
        """Start anew, or stop: what was held is gone."""
        self.powered = on
        self._passed_bytes = 0
        self._held.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def arrived(self, data: bytes) -> bytes:
        """Count bytes from the host; returns those before the brown-out."""
        return self._pass(data, Direction.TO_MODEM)

    def text(self, text: str, *, verbose: bool) -> None:
        """A line of information (V.250 framing; modem-reference 2.4)."""
        self.send(f"\r\n{text}\r\n".encode("latin-1") if verbose else f"{text}\r\n".encode("latin-1"))

    def result(self, text: str, *, verbose: bool) -> None:
        """A result code."""
        numeric = NUMERIC_RESULTS.get(text)
        self.send(f"{numeric}\r".encode() if not verbose and numeric else f"\r\n{text}\r\n".encode("latin-1"))

    def event(self, code: str) -> None:
        """`<DLE>` and one code, or several such pairs in one write."""
        self.send(b"".join(b"\x10" + letter.encode("latin-1") for letter in code))

    def send(self, data: bytes) -> None:
        """Anything else."""
        if not self.powered or not data:
            return
        if self.faults.hold_output_seconds or self.faults.split_events_seconds or self._held:
            self._hold(data)
        else:
            self._wire.send(self._pass(data, Direction.FROM_MODEM))

    def onlooker(self, direction: Direction, data: bytes) -> None:
        """Show the traffic hook something."""
        if self.traffic is not None and (data or direction is Direction.DISCARDED):
            self.traffic(direction, data, asyncio.get_running_loop().time())

    def _hold(self, data: bytes) -> None:
        self._held += data
        if self._timer is None:
            delay = self.faults.hold_output_seconds or 0.0
            self._timer = asyncio.get_running_loop().call_later(delay, self._release)

    def _release(self) -> None:
        self._timer = None
        size = self._piece_bytes()
        piece = bytes(self._held[:size])
        del self._held[:size]
        self._wire.send(self._pass(piece, Direction.FROM_MODEM))
        if self._held and self.powered:
            delay = self.faults.split_events_seconds
            self._timer = asyncio.get_running_loop().call_later(delay, self._release)

    def _piece_bytes(self) -> int:
        """A burst; or, where events are split, everything up to and with the first DLE."""
        if not self.faults.split_events_seconds:
            return self.faults.burst_bytes
        found = self._held.find(b"\x10", 0)
        return found + 1 if found >= 0 else len(self._held)

    def _pass(self, data: bytes, direction: Direction) -> bytes:
        limit = self.faults.brown_out_after_bytes
        before = self._passed_bytes
        self._passed_bytes += len(data)
        if limit is not None and self._passed_bytes >= limit > before:
            data = data[: limit - before]
            asyncio.get_running_loop().call_soon(self._browned_out)
            self.onlooker(direction, data)
            self.powered = False
            return data
        self.onlooker(direction, data)
        return data
