"""Serial ports. The only place that imports pyserial, which opens and sets the port.

Reading and writing use the event loop on the port's descriptor directly: pyserial's own write spins while the kernel's
queue is full, and its read takes descriptors below 1024 only; either would let one hung modem stop every line.
"""

from __future__ import annotations

import asyncio
import errno
import os
import termios
from contextlib import suppress
from pathlib import Path

import serial

from firmware.errors import PortBusy, PortDenied, PortError, PortLost, PortMissing
from firmware.ports import ByteWire, WireReceiver

_READ_BYTES = 4096
_SERIAL_LINKS = Path("/dev/serial/by-path")
_DEVICES = Path("/dev")
_PATTERNS = ("ttyACM*", "ttyUSB*")
_LOCK_ERRORS = frozenset({errno.EAGAIN, errno.EBUSY})


def discover_ports() -> list[str]:
    """Ports that may be modems, the stable names first; each device once."""
    links = sorted(_SERIAL_LINKS.glob("*")) if _SERIAL_LINKS.is_dir() else []
    plain = [path for pattern in _PATTERNS for path in sorted(_DEVICES.glob(pattern))]
    ports: dict[Path, str] = {}
    for path in [*links, *plain]:
        ports.setdefault(path.resolve(), str(path))
    return list(ports.values())


class TtyOpener:
    """Opens one tty by its path, again after every loss: `ports.WireOpener`."""

    def __init__(self, path: str, rate: int = 115200) -> None:
        self._path = path
        self._rate = rate

    @property
    def place(self) -> str:
        """The device path."""
        return self._path

    async def __call__(self) -> ByteWire:
        """Raises: PortMissing, PortBusy, PortDenied, PortLost."""
        loop = asyncio.get_running_loop()
        # Opening may block: a USB driver may have to load its firmware first.
        return TtyWire(await loop.run_in_executor(None, self._open), self._path)

    def _open(self) -> serial.Serial:
        try:
            # No flow control: CDC-ACM has none, and a modem that never raises CTS would block us.
            return serial.Serial(self._path, self._rate, timeout=0, write_timeout=0, exclusive=True)
        except serial.SerialException as error:
            raise _open_error(self._path, error) from error
        except (OSError, termios.error) as error:
            raise _lost(self._path) from error


class TtyWire:
    """An open tty: `ports.ByteWire`."""

    def __init__(self, port: serial.Serial, place: str) -> None:
        self._port = port
        self._descriptor = port.fileno()
        self._place = place
        self._loop = asyncio.get_running_loop()
        self._receiver: WireReceiver | None = None
        self._unsent = bytearray()
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

    def discard_output(self) -> None:
        """Throw away what has not left yet, here and in the kernel."""
        if not self._usable:
            return
        self._forget_unsent()
        with suppress(termios.error):
            termios.tcflush(self._descriptor, termios.TCOFLUSH)

    async def close(self) -> None:
        """Give the port back."""
        if self._closed:
            return
        self._closed = True
        # What is queued would hold up closing for as long as a hung modem takes nothing.
        self.discard_output()
        self._detach()
        with suppress(OSError):
            await self._loop.run_in_executor(None, self._port.close)

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
            # Ready to read, and nothing there: the tty hung up (modem-reference 12).
            self._fail()

    def _writable(self) -> None:
        sent = self._write_now(bytes(self._unsent))
        del self._unsent[:sent]
        if not self._unsent:
            self._loop.remove_writer(self._descriptor)

    def _write_now(self, data: bytes) -> int:
        try:
            return os.write(self._descriptor, data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError:
            # Told from the loop, not from within a write: the caller is in the middle of something.
            self._loop.call_soon(self._fail)
            return len(data)

    def _forget_unsent(self) -> None:
        if self._unsent:
            self._unsent.clear()
            self._loop.remove_writer(self._descriptor)

    def _fail(self) -> None:
        if not self._usable:
            return
        self._detach()
        if self._receiver is not None:
            self._receiver.wire_lost(_lost(self._place))

    def _detach(self) -> None:
        if self._usable:
            self._usable = False
            self._loop.remove_reader(self._descriptor)
            self._loop.remove_writer(self._descriptor)
            self._unsent.clear()


def _open_error(path: str, error: serial.SerialException) -> PortError:
    if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return PortMissing(f"there is no {path}; plug the modem in, or correct the port in the configuration")
    if error.errno in (errno.EACCES, errno.EPERM):
        return PortDenied(f"no permission to open {path}; add this user to the group dialout, and log in again")
    if error.errno in _LOCK_ERRORS:
        return PortBusy(f"another program holds {path}; stop it (often ModemManager, minicom or a second Linekeeper)")
    if error.errno == errno.EIO:
        return _lost(path)
    return PortMissing(f"{path} cannot be opened as a serial port ({error}); name the port of a modem")


def _lost(place: str) -> PortLost:
    return PortLost(f"the modem at {place} went away; plug it in again, and check its cable and power")
