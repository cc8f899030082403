"""Worlds with mains and a battery that tests can take away: mock pins, NUT's real server, and the simulated UPS.

All have one interface, so that the same scenario runs on each of them.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import tty
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Protocol, Self

import gpiozero
from gpiozero.pins.mock import MockFactory, MockPin

from firmware.power_settings import PowerSettings
from firmware.simulation.ups import SimulatedUps
from firmware.ups.profile_reader import find_profile

NUT_FOLDER = Path("/lib/nut")


class PowerWorld(Protocol):
    """Mains and battery, as whoever pulls the plug sees them."""

    settings: dict[str, object]
    """What the section `power` needs to watch this world."""

    @property
    def power(self) -> PowerSettings:
        """The same, checked."""

    @property
    def settings_yaml(self) -> str:
        """The same as YAML, to follow `power: `."""

    async def mains(self, on: bool) -> None:
        """The plug is pulled, or put back."""

    async def battery_low(self, on: bool = True) -> None:
        """The battery warns, or no more."""


class _World:
    def __init__(self, settings: dict[str, object]) -> None:
        self.settings = settings

    @property
    def settings_yaml(self) -> str:
        return "{" + ", ".join(f"{key}: {value}" for key, value in self.settings.items()) + "}"

    @property
    def power(self) -> PowerSettings:
        return PowerSettings.model_validate(self.settings, strict=False)


# --- mock pins -------------------------------------------------------------------------------------------------------


class WiredPin(MockPin):  # type: ignore[misc]  # gpiozero ships no types
    """A mock pin with something on the wire, which is stronger than the processor's pull."""

    wired: bool | None = None

    def wire(self, high: bool) -> None:
        """The board or contact sets its level, also before anybody listens."""
        self.wired = high
        if self.function == "input":
            self.drive_high() if high else self.drive_low()

    def _set_pull(self, value: str) -> None:
        super()._set_pull(value)
        if self.wired is not None:
            self.drive_high() if self.wired else self.drive_low()


class MockPins(_World):
    """A board or card on mock pins."""

    def __init__(self, profile: str, factory: MockFactory) -> None:
        super().__init__({"profile": profile})
        self._profile = find_profile(profile)
        self._factory = factory

    def pin(self, number: int) -> Any:
        """One pin: `wire(high)`, `state`, `states`."""
        return self._factory.pin(number)

    async def mains(self, on: bool) -> None:
        assert self._profile.mains is not None
        self.pin(self._profile.mains.pin).wire((self._profile.mains.lost == "high") != on)

    async def battery_low(self, on: bool = True) -> None:
        assert self._profile.battery is not None, "this profile has no pin for a low battery"
        self.pin(self._profile.battery.pin).wire((self._profile.battery.low == "high") == on)


@contextmanager
def mock_factory() -> Iterator[MockFactory]:
    """gpiozero works on mock pins inside."""
    factory = MockFactory(pin_class=WiredPin)
    before, gpiozero.Device.pin_factory = gpiozero.Device.pin_factory, factory
    try:
        yield factory
    finally:
        factory.close()
        gpiozero.Device.pin_factory = before


@asynccontextmanager
async def mock_pins(profile: str = "contact-nc") -> AsyncIterator[MockPins]:
    """A board on mock pins, with mains and a good battery."""
    with mock_factory() as factory:
        world = MockPins(profile, factory)
        await world.mains(on=True)
        if find_profile(profile).battery is not None:
            await world.battery_low(on=False)
        yield world


# --- NUT -------------------------------------------------------------------------------------------------------------


class DummyUps(_World):
    """NUT's own server with its dummy driver, which can be told nothing, and where wanted a UPS on a serial line."""

    def __init__(self, folder: Path, port: int) -> None:
        password = folder / "password"
        password.write_text('a "secret"\n')
        super().__init__(
            {
                "profile": "nut",
                "server": f"127.0.0.1:{port}",
                "ups": "office",
                "user": "keeper",
                "password_file": str(password),
            }
        )
        self.port = port
        self._folder = folder
        self._programs: dict[str, subprocess.Popen[bytes]] = {}
        self._variables = {"ups.status": "OL", "battery.charge": "90", "battery.runtime": "5400"}
        self._write()

    async def mains(self, on: bool) -> None:
        self.flag("OL", on)
        self.flag("OB", not on)

    async def battery_low(self, on: bool = True) -> None:
        self.flag("LB", on)

    def flag(self, word: str, on: bool) -> None:
        """One word of ups.status."""
        words = [other for other in self._variables["ups.status"].split() if other != word]
        self.set("ups.status", " ".join([*words, word] if on else words))

    def set(self, variable: str, value: str) -> None:
        """The driver tells another value of a variable, after a second or so."""
        self._variables[variable] = value
        self._write()

    async def start(self) -> None:
        """The drivers, then the server; returns once it serves the first values."""
        self.start_program("dummy-ups", "-a", "office")
        await self._until((self._folder / "dummy-ups-office").is_socket)
        self.start_program("upsd")
        await self.served("office")

    def start_program(self, name: str, *arguments: str) -> None:
        """Debian's /sbin/upsd is a shell wrapper that needs nut.conf: the program itself is run."""
        folder = str(self._folder)
        environment = os.environ | {"NUT_CONFPATH": folder, "NUT_STATEPATH": folder, "NUT_ALTPIDPATH": folder}
        command = [str(NUT_FOLDER / name), *arguments, "-D", "-u", _user_name()]
        with (self._folder / f"{name}.log").open("ab") as log:
            self._programs[name] = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def stop_program(self, name: str) -> None:
        """End one of them."""
        program = self._programs.pop(name)
        program.terminate()
        program.wait(10)

    def stop(self) -> None:
        """End all that still runs."""
        for name in tuple(self._programs):
            self.stop_program(name)

    def log(self, name: str) -> str:
        """What a program said."""
        return (self._folder / f"{name}.log").read_text(errors="replace")

    async def served(self, ups: str) -> None:
        """Until the server has values of this UPS."""
        await self._until(lambda: self._has_values(ups))

    def _has_values(self, ups: str) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(f"GET VAR {ups} ups.status\n".encode())
                answer = connection.makefile("r").readline()
                # upsd says WAIT until the driver has told all.
                return answer.startswith("VAR") and "WAIT" not in answer
        except OSError:
            return False

    async def _until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not done():
                assert all(program.poll() is None for program in self._programs.values()), self._logs()
                await asyncio.sleep(0.05)

    def _logs(self) -> str:
        return "\n".join(self.log(name) for name in self._programs)

    def _write(self) -> None:
        # dummy-ups looks at the time of the file: half a file must never be there.
        text = "".join(f"{variable}: {value}\n" for variable, value in self._variables.items())
        temporary = self._folder / "office.tmp"
        temporary.write_text(text)
        temporary.rename(self._folder / "office.dev")


def _user_name() -> str:
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name


def _write_nut_files(folder: Path, port: int) -> None:
    (folder / "ups.conf").write_text(
        f"[office]\n  driver = dummy-ups\n  port = {folder}/office.dev\n"
        f"[serial]\n  driver = blazer_ser\n  port = {folder}/tty\n  offdelay = 30\n  ondelay = 3\n  pollinterval = 1\n"
    )
    (folder / "upsd.conf").write_text(f"LISTEN 127.0.0.1 {port}\nSTATEPATH {folder}\nMAXAGE 10\n")
    (folder / "upsd.users").write_text('[keeper]\n  password = "a \\"secret\\""\n  instcmds = shutdown.return\n')
    for file in folder.iterdir():
        file.chmod(0o600)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@asynccontextmanager
async def dummy_ups(folder: Path) -> AsyncIterator[DummyUps]:
    """A UPS `office` with mains and a good battery, served by NUT's own programs."""
    assert shutil.which(NUT_FOLDER / "upsd"), "install Debian's nut-server"
    port = _free_port()
    _write_nut_files(folder, port)
    world = DummyUps(folder, port)
    with ExitStack() as running:
        running.callback(world.stop)
        await world.start()
        yield world


class MegatecUps:
    """A UPS on a serial line, for NUT's driver blazer_ser: status to `Q1`, ratings to `F`, and it may be told to cut.

    The Megatec protocol: mains failed and battery low are the first two bits of eight at the end of a status.
    """

    def __init__(self, folder: Path) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        (folder / "tty").symlink_to(os.ttyname(self._slave))
        self.on_mains = True
        self.commands: asyncio.Queue[str] = asyncio.Queue()
        self._rest = b""

    def __enter__(self) -> Self:
        asyncio.get_running_loop().add_reader(self._master, self._read)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self._master)
        os.close(self._master)
        os.close(self._slave)

    def _read(self) -> None:
        *commands, self._rest = (self._rest + os.read(self._master, 256)).split(b"\r")
        for command in commands:
            self._obey(command.decode())

    def _obey(self, command: str) -> None:
        if command == "Q1":
            self._say(f"(230.0 230.0 230.0 020 50.0 27.4 25.0 {int(not self.on_mains)}0001000")
        elif command == "F":
            self._say("#230.0 004 24.00 50.0")
        elif command.startswith("S"):
            self.commands.put_nowait(command)

    def _say(self, text: str) -> None:
        os.write(self._master, text.encode() + b"\r")


@asynccontextmanager
async def serial_ups(folder: Path) -> AsyncIterator[tuple[DummyUps, MegatecUps]]:
    """As `dummy_ups`, with a UPS `serial` besides that can be told to cut."""
    with MegatecUps(folder) as ups:
        async with dummy_ups(folder) as world:
            world.start_program("blazer_ser", "-a", "serial")
            await world.served("serial")
            yield world, ups


# --- the simulated UPS -----------------------------------------------------------------------------------------------


class BenchUps(_World):
    """The bench's UPS."""

    def __init__(self, ups: SimulatedUps) -> None:
        super().__init__({"profile": "bench", "socket": str(ups.path)})
        self.ups = ups

    async def mains(self, on: bool) -> None:
        self.ups.set_mains(on=on)

    async def battery_low(self, on: bool = True) -> None:
        self.ups.set_battery_low(low=on)


@asynccontextmanager
async def bench_ups(folder: Path) -> AsyncIterator[BenchUps]:
    """The simulated UPS behind its socket."""
    async with SimulatedUps(folder / "power.sock") as ups:
        yield BenchUps(ups)
