"""Serial ports: finding and opening them. The only place that imports pyserial, which opens and sets the port."""

from __future__ import annotations

import asyncio
import errno
import stat
import termios
from contextlib import suppress
from pathlib import Path

import serial

from firmware.errors import PortBusy, PortDenied, PortError, PortMissing
from firmware.modem.tty_wire import TtyWire, went_away
from firmware.ports import ByteWire

# Where `termios.tcgetattr` keeps the control characters.
_CONTROL_CHARACTERS = 6
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
        port = await loop.run_in_executor(None, self._open)
        return TtyWire(port.fileno(), self._path, port.close)

    def _open(self) -> serial.Serial:
        try:
            _demand_character_device(self._path)
            # No flow control: CDC-ACM has none, and a modem that never raises CTS would block us.
            port = serial.Serial(self._path, self._rate, timeout=0, write_timeout=0, exclusive=True)
            try:
                _tell_nothing_from_hang_up(port.fileno())
            except termios.error:
                port.close()
                raise
            return port
        except serial.SerialException as error:
            raise _open_error(self._path, error) from error
        except (OSError, termios.error) as error:
            raise went_away(self._path) from error


def _demand_character_device(path: str) -> None:
    """Opening anything else would set it up as a serial port. A path that leads nowhere is the opening's to tell of."""
    with suppress(OSError):
        if not stat.S_ISCHR(Path(path).stat().st_mode):
            raise PortMissing(f"{path} is not a device, so it is no serial port; name the port of a modem")


def _tell_nothing_from_hang_up(descriptor: int) -> None:
    """With pyserial's VMIN of 0 a read gives nothing in both cases; with 1 it says EAGAIN while nothing is there."""
    attributes = termios.tcgetattr(descriptor)
    attributes[_CONTROL_CHARACTERS][termios.VMIN] = 1
    termios.tcsetattr(descriptor, termios.TCSANOW, attributes)


def _open_error(path: str, error: serial.SerialException) -> PortError:
    if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return PortMissing(f"there is no {path}; plug the modem in, or correct the port in the configuration")
    if error.errno in (errno.EACCES, errno.EPERM):
        return PortDenied(f"no permission to open {path}; add this user to the group dialout, and log in again")
    if error.errno in _LOCK_ERRORS:
        return PortBusy(f"another program holds {path}; stop it (often ModemManager, minicom or a second Linekeeper)")
    if error.errno == errno.EIO:
        return went_away(path)
    return PortMissing(f"{path} cannot be opened as a serial port ({error}); name the port of a modem")
