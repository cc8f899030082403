"""An open serial port on the event loop: reading, writing, and noticing that it went away or hangs.

Reading and writing use the loop on the port's descriptor directly: pyserial's own write spins while the kernel's queue
is full, and its read takes descriptors below 1024 only; either would let one hung modem stop every line.
"""

from __future__ import annotations

import asyncio
import os
import termios
from collections.abc import Callable
from contextlib import suppress

from firmware.errors import PortError, PortLost
from firmware.modem.gather_clock import gather_clock
from firmware.modem.progress_watch import ProgressWatch
from firmware.ports import WireReceiver

_READ_BYTES = 4096
# The kernel's queue holds some 2.5 s of audio (modem-reference 6.6); a modem that plays takes from it all the time.
_STUCK_SECONDS = 2.0


class TtyWire:
    """An open tty: `ports.ByteWire`. Reading it must say EAGAIN while nothing is there; `close` closes the port."""

    def __init__(self, descriptor: int, place: str, close: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._place = place
        self._close = close
        self._loop = asyncio.get_running_loop()
        self._receiver: WireReceiver | None = None
        self._unsent = bytearray()
        self._output = ProgressWatch(_STUCK_SECONDS, self._stuck)
        self._gather_clock = gather_clock()
        self._gathering = False
        self._usable = True
        self._closed = False

    def start(self, receiver: WireReceiver) -> None:
        """Begin to deliver."""
        self._receiver = receiver
        self._loop.add_reader(self._descriptor, self._readable)

    def write(self, data: bytes) -> None:
        """Queue bytes for the modem; never blocks."""
        if not self._usable:
            return
        if self._unsent:
            self._unsent += data
            return
        sent = self._write_now(data)
        if sent < len(data) and self._usable:
            self._unsent += data[sent:]
            self._loop.add_writer(self._descriptor, self._writable)
            self._output.begin()

    def discard_output(self) -> None:
        """Throw away what has not left yet, here and in the kernel."""
        if not self._usable:
            return
        self._forget_unsent()
        with suppress(termios.error):
            termios.tcflush(self._descriptor, termios.TCOFLUSH)

    def gather_input(self, gathering: bool) -> None:
        """Whether bytes may come up to 0.1 s late and together."""
        if not self._usable or gathering == self._gathering:
            return
        self._gathering = gathering
        if gathering:
            self._loop.remove_reader(self._descriptor)
            self._gather_clock.add(self._readable)
        else:
            self._gather_clock.remove(self._readable)
            self._loop.add_reader(self._descriptor, self._readable)

    async def close(self) -> None:
        """Give the port back."""
        if self._closed:
            return
        self._closed = True
        # What is queued would hold up closing for as long as a hung modem takes nothing.
        self.discard_output()
        self._detach()
        with suppress(OSError):
            await self._loop.run_in_executor(None, self._close)

    def _readable(self) -> None:
        assert self._receiver is not None
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if data:
            self._receiver.bytes_received(data)
        else:
            # Nothing left to read, for ever: the tty hung up (modem-reference 12).
            self._fail(went_away(self._place))

    def _writable(self) -> None:
        sent = self._write_now(bytes(self._unsent))
        del self._unsent[:sent]
        if sent:
            self._output.progress()
        if not self._unsent:
            self._all_sent()

    def _write_now(self, data: bytes) -> int:
        try:
            return os.write(self._descriptor, data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError:
            # Told from the loop, not from within a write: the caller is in the middle of something.
            self._loop.call_soon(self._fail, went_away(self._place))
            return len(data)

    def _forget_unsent(self) -> None:
        if self._unsent:
            self._unsent.clear()
            self._all_sent()

    def _all_sent(self) -> None:
        self._loop.remove_writer(self._descriptor)
        self._output.end()

    def _stuck(self) -> None:
        self._fail(
            PortLost(
                f"the modem at {self._place} takes no more data, so it hangs;"
                " pull its plug, wait five seconds, and put it back"
            )
        )

    def _fail(self, error: PortError) -> None:
        if not self._usable:
            return
        self._detach()
        if self._receiver is not None:
            self._receiver.wire_lost(error)

    def _detach(self) -> None:
        if self._usable:
            self._usable = False
            self._gather_clock.remove(self._readable)
            self._output.end()
            self._loop.remove_reader(self._descriptor)
            self._loop.remove_writer(self._descriptor)
            self._unsent.clear()


def went_away(place: str) -> PortLost:
    """The error for a modem that is no longer there."""
    return PortLost(f"the modem at {place} went away; plug it in again, and check its cable and power")
