"""The wire between a simulated modem and its host: the border both kinds share, and the one in memory.

The kind on a real tty is `pty_wire`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from firmware.errors import PortBusy, PortDenied, PortError, PortLost, PortMissing
from firmware.ports import ByteWire, WireReceiver

# What a kernel takes for a modem that takes nothing: cdc_acm's queue (modem-reference 6.6).
_KERNEL_QUEUE_BYTES = 20480
# So long a host bears with that, as the driver of real ports does.
_STUCK_SECONDS = 2.0


class ModemEnd(Protocol):
    """What a wire asks of the modem. All is called from the event loop."""

    def room(self) -> int:
        """How many bytes the modem takes now; at 0 the wire waits for `HostWire.room_grew`."""

    def host_sent(self, data: bytes) -> None:
        """Bytes from the host, never more than `room`."""

    def host_discarded_output(self, discarded_bytes: int) -> None:
        """The host threw away what it had written (TCOFLUSH); the modem itself never knows, an onlooker may."""


class HostWire(Protocol):
    """What a modem asks of its wire."""

    def plug_in(self, modem: ModemEnd) -> None:
        """Appear to the host."""

    def unplug(self) -> None:
        """Disappear, with everything that was under way."""

    def send(self, data: bytes) -> None:
        """Send to the host; what the host does not read waits, see `backlog_bytes`."""

    def room_grew(self) -> None:
        """The modem takes bytes again."""

    @property
    def backlog_bytes(self) -> int:
        """Bytes sent that the host has not taken."""

    @property
    def stream_interval_seconds(self) -> float:
        """How much recorded audio should go over it at a time."""


class _DelayLine:
    """Bytes that arrive a fixed time after they were put in: in order, never at once."""

    def __init__(self, latency_seconds: float, arrive: Callable[[bytes], None]) -> None:
        self._latency_seconds = latency_seconds
        self._arrive = arrive
        self._under_way: deque[tuple[float, bytes]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting_bytes(self) -> int:
        return sum(len(data) for _, data in self._under_way)

    def put(self, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        self._under_way.append((loop.time() + self._latency_seconds, data))
        if self._timer is None:
            self._timer = loop.call_at(self._under_way[0][0], self._due)

    def clear(self) -> None:
        self._under_way.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> None:
        loop = asyncio.get_running_loop()
        arrived = bytearray()
        self._timer = None
        while self._under_way and self._under_way[0][0] <= loop.time():
            arrived += self._under_way.popleft()[1]
        if self._under_way:
            self._timer = loop.call_at(self._under_way[0][0], self._due)
        if arrived:
            self._arrive(bytes(arrived))


class MemoryWire:
    """A `HostWire` without a kernel, for simulated time. `opener` is the host's side, a `ports.WireOpener`.

    `denied` makes opening fail for want of permission; `host_reads` set to False is a host that does not read, and
    `modem_reads` a modem whose USB side hangs: it takes nothing any more.
    """

    # Fewer wake-ups than a real wire has: simulated hours should take seconds.
    stream_interval_seconds = 0.1

    def __init__(self, place: str, latency_seconds: float = 0.0) -> None:
        self.place = place
        self.latency_seconds = latency_seconds
        self.denied = False
        self.host_reads = True
        self.modem_reads = True
        self.opener = _MemoryOpener(self)
        self._modem: ModemEnd | None = None
        self._host: _HostEnd | None = None
        self._unread = bytearray()
        self._arriving = _DelayLine(latency_seconds, self._arrived)

    def plug_in(self, modem: ModemEnd) -> None:
        """Appear to the host."""
        self._modem = modem
        self.modem_reads = True

    def unplug(self) -> None:
        """Disappear: the host's open end is lost."""
        self._modem = None
        self._unread.clear()
        self._arriving.clear()
        host, self._host = self._host, None
        if host is not None:
            host.lose(PortLost(f"{self.place} went away: check the USB cable and the modem's supply"))

    def send(self, data: bytes) -> None:
        """Send to the host; kept for it while it does not read."""
        self._arriving.put(data)

    def room_grew(self) -> None:
        """The modem takes bytes again."""
        if self._host is not None:
            self._host.deliver()

    @property
    def backlog_bytes(self) -> int:
        """Bytes that wait because the host does not read; those under way are not counted."""
        return len(self._unread)

    def open(self) -> ByteWire:
        """The host's end. Raises: PortMissing, PortBusy, PortDenied."""
        if self._modem is None:
            raise PortMissing(f"there is no {self.place}: plug the modem in")
        if self.denied:
            raise PortDenied(f"no permission to open {self.place}: add this user to the group dialout")
        if self._host is not None:
            raise PortBusy(f"another program holds {self.place}")
        self._host = _HostEnd(self, self._modem)
        return self._host

    def host_closed(self, host: _HostEnd) -> None:
        """The host gave its end back."""
        if self._host is host:
            self._host = None

    def host_ready(self) -> None:
        """The host reads (again): what waited is delivered."""
        if self.host_reads and self._host is not None and self._host.receiver is not None and self._unread:
            waiting = bytes(self._unread)
            self._unread.clear()
            self._host.receiver.bytes_received(waiting)

    def _arrived(self, data: bytes) -> None:
        self._unread += data
        self.host_ready()


class _MemoryOpener:
    def __init__(self, wire: MemoryWire) -> None:
        self._wire = wire

    @property
    def place(self) -> str:
        return self._wire.place

    async def __call__(self) -> ByteWire:
        await asyncio.sleep(0)
        return self._wire.open()


class _HostEnd:
    """`ports.ByteWire`: what was written waits here, as in a kernel's queue, until the modem has room."""

    def __init__(self, wire: MemoryWire, modem: ModemEnd) -> None:
        self.receiver: WireReceiver | None = None
        self._wire = wire
        self._modem = modem
        self._queue = bytearray()
        self._leaving = _DelayLine(wire.latency_seconds, self._left)
        self._stuck: asyncio.TimerHandle | None = None
        self._open = True

    def start(self, receiver: WireReceiver) -> None:
        self.receiver = receiver
        asyncio.get_running_loop().call_soon(self._wire.host_ready)

    def write(self, data: bytes) -> None:
        if self._open and data:
            self._leaving.put(bytes(data))

    def discard_output(self) -> None:
        if not self._open:
            return
        discarded = len(self._queue) + self._leaving.waiting_bytes
        self._queue.clear()
        self._leaving.clear()
        self._watch()
        self._modem.host_discarded_output(discarded)

    def gather_input(self, gathering: bool) -> None:
        """No wake-up costs anything here."""

    async def close(self) -> None:
        await asyncio.sleep(0)
        self._shut()
        self._wire.host_closed(self)

    def lose(self, error: PortError) -> None:
        was_open = self._open
        self._shut()
        if was_open and self.receiver is not None:
            asyncio.get_running_loop().call_soon(self.receiver.wire_lost, error)

    def deliver(self) -> None:
        """Hand over as much as the modem takes."""
        while self._open and self._queue and self._wire.modem_reads and (room := self._modem.room()) > 0:
            taken = bytes(self._queue[:room])
            del self._queue[:room]
            self._modem.host_sent(taken)
            self._watch()

    def _left(self, data: bytes) -> None:
        self._queue += data
        self.deliver()
        if self._stuck is None:
            self._watch()

    def _watch(self) -> None:
        """From the last progress on, while there is more than the kernel takes."""
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None
        if self._open and len(self._queue) > _KERNEL_QUEUE_BYTES:
            self._stuck = asyncio.get_running_loop().call_later(_STUCK_SECONDS, self._hangs)

    def _hangs(self) -> None:
        self.lose(PortLost(f"the modem at {self._wire.place} takes no more data, so it hangs; pull its plug"))

    def _shut(self) -> None:
        self._open = False
        self._queue.clear()
        self._leaving.clear()
        self._watch()
