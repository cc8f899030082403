"""A modem's wire on a real tty: a pseudo-terminal under a symlink that stays the same from plug to plug.

What a pty does and does not was measured; see modem-reference 13. The slave is raw before the first byte and held open,
or echo and EIO would spoil the first exchange. The master is in packet mode, which shows the client's TCOFLUSH.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import struct
import termios
import tty
from dataclasses import dataclass
from pathlib import Path

from firmware.simulation.wires import ModemEnd

# tty_ioctl(4): the packet mode's marker byte is 0 before data, else a set of flags; this one is the client's TCOFLUSH.
_FLUSHED_OUTPUT = 2
# Bytes taken from the pty ahead of the modem: a client's flush really discards these, as in a real port's queue.
_READ_AHEAD_BYTES = 4096
_SPEEDS = {getattr(termios, f"B{baud}"): baud for baud in (9600, 19200, 38400, 57600, 115200, 230400)}


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """What the client made of the port. `speed_baud` is 0 where it is none of the usual ones."""

    speed_baud: int
    xon_xoff: bool
    hardware_flow: bool
    raw: bool


class PtyWire:
    """A `HostWire` on a pty. `path` is the symlink to open; it stands for a by-path name."""

    stream_interval_seconds = 0.02

    def __init__(self, path: Path) -> None:
        self.path = path
        self._modem: ModemEnd | None = None
        self._master = -1
        self._slave = -1
        self._from_host = bytearray()
        self._to_host = bytearray()
        self._reading = False
        self._modem_reads = True

    @property
    def modem_reads(self) -> bool:
        """False: the modem's USB side hangs, and takes nothing any more; until it is plugged in anew."""
        return self._modem_reads

    @modem_reads.setter
    def modem_reads(self, reads: bool) -> None:
        self._modem_reads = reads
        self._deliver()
        self._read_on()

    @property
    def device(self) -> str:
        """The pty itself, such as `/dev/pts/7`; another one after every plug."""
        return os.ttyname(self._slave)

    @property
    def backlog_bytes(self) -> int:
        """Bytes that the kernel did not take: the host reads too slowly. The kernel itself holds some 20 kB."""
        return len(self._to_host)

    def plug_in(self, modem: ModemEnd) -> None:
        """Open a pty and put the symlink there, in one step for whoever waits for it."""
        self._modem, self._modem_reads = modem, True
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        fcntl.ioctl(self._master, termios.TIOCPKT, struct.pack("i", 1))
        fresh = self.path.with_name(self.path.name + ".new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(self.device)
        fresh.replace(self.path)
        self._read_on()

    def unplug(self) -> None:
        """Close the pty: the client reads end of file and cannot write."""
        if self._modem is None:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._master)
        loop.remove_writer(self._master)
        self._modem, self._reading = None, False
        self.path.unlink(missing_ok=True)
        os.close(self._master)
        os.close(self._slave)
        self._from_host.clear()
        self._to_host.clear()

    def client_settings(self) -> ClientSettings:
        """The termios settings as the client left them."""
        iflag, _, cflag, lflag, speed, *_ = termios.tcgetattr(self._master)
        return ClientSettings(
            speed_baud=_SPEEDS.get(speed, 0),
            xon_xoff=bool(iflag & (termios.IXON | termios.IXOFF)),
            hardware_flow=bool(cflag & termios.CRTSCTS),
            raw=not lflag & (termios.ICANON | termios.ECHO | termios.ISIG) and not iflag & termios.ICRNL,
        )

    def send(self, data: bytes) -> None:
        """Send to the host, at once where the kernel takes it."""
        if self._modem is None:
            return
        if not self._to_host:
            data = data[self._write(data) :]
        if data:
            self._to_host += data
            asyncio.get_running_loop().add_writer(self._master, self._write_on)

    def room_grew(self) -> None:
        """The modem takes bytes again."""
        self._deliver()
        self._read_on()

    def _write(self, data: bytes) -> int:
        try:
            return os.write(self._master, data)
        except BlockingIOError:
            return 0

    def _write_on(self) -> None:
        del self._to_host[: self._write(bytes(self._to_host))]
        if not self._to_host:
            asyncio.get_running_loop().remove_writer(self._master)

    def _read_on(self) -> None:
        """Look at the pty exactly while there is room for more."""
        wanted = self._modem is not None and self._modem_reads and len(self._from_host) < _READ_AHEAD_BYTES
        if wanted == self._reading or self._modem is None:
            return
        self._reading = wanted
        if wanted:
            asyncio.get_running_loop().add_reader(self._master, self._readable)
        else:
            asyncio.get_running_loop().remove_reader(self._master)

    def _readable(self) -> None:
        try:
            packet = os.read(self._master, 1 + _READ_AHEAD_BYTES - len(self._from_host))
        except BlockingIOError:
            return
        if packet[0] & _FLUSHED_OUTPUT and self._modem is not None:
            discarded = len(self._from_host)
            self._from_host.clear()
            self._modem.host_discarded_output(discarded)
        self._from_host += packet[1:]
        self._deliver()
        self._read_on()

    def _deliver(self) -> None:
        while self._modem is not None and self._modem_reads and self._from_host and (room := self._modem.room()) > 0:
            taken = bytes(self._from_host[:room])
            del self._from_host[:room]
            self._modem.host_sent(taken)
