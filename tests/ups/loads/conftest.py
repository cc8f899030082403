"""Loads with what they switch: mock pins, sysfs in a folder, programs that answer as the real ones do."""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from firmware.errors import ServiceAbsent, ServiceError
from firmware.ups.loads.system import Finished, System, run_command
from tests.power_benches import mock_factory

# As uhubctl 2.5 prints it, with a state that it keeps in a file.
UHUBCTL = """#!/bin/sh
state={folder}/port-power
[ "$2" = "1-1" ] || {{ echo "No compatible devices detected at location $2!"; exit 1; }}
show() {{
    echo "$1 status for hub 1-1 [0424:9514, USB 2.00, 5 ports, ppps]"
    if [ "$(cat $state)" = on ]; then echo "  Port $2: 0503 power highspeed enable connect [0572:1340 USB Modem]"
    else echo "  Port $2: 0000 off"; fi
}}
show Current $4
if [ -n "$6" ]; then
    echo "$6" > $state
    echo "Sent power $6 request"
    show New $4
fi
"""
SYSTEMCTL = """#!/bin/sh
state={folder}/unit-state
case "$1" in
    stop) echo inactive > $state ;;
    start) echo active > $state ;;
    is-active) cat $state; [ "$(cat $state)" = active ] || exit 3 ;;
esac
"""
_EVENT = struct.Struct("=IBBBB")


class FakeServices:
    """The other services, as far as loads ask them."""

    def __init__(self) -> None:
        self.speech = True
        self.every_seconds: float | None = None
        self.line_state = "idle"
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self.down: set[str] = set()
        self.absent: set[str] = set()

    async def ask(self, service: str, action: str, **details: Any) -> Any:
        self._expect(service)
        self.asked.append((service, action, details))
        match action:
            case "speech":
                self.speech = details["on"]
                return {"on": self.speech}
            case "pace":
                self.every_seconds = details["every_seconds"]
                return {"every_seconds": self.every_seconds}
            case "rest":
                if self.line_state in ("idle", "resting"):
                    self.line_state = "resting" if details["resting"] else "idle"
                return {"line": details["line"], "state": self.line_state}
        raise ServiceError(f"nothing is called {action}")

    async def view(self, service: str, name: str) -> Any:
        self._expect(service)
        match (service, name):
            case ("calls", "status"):
                return {"speech": self.speech}
            case ("calls", "lines"):
                return [{"name": "front", "state": "idle"}, {"name": "back", "state": self.line_state}]
            case ("sync", "status"):
                return {"every_seconds": self.every_seconds}
        raise ServiceError(f"no view is called {name}")

    def _expect(self, service: str) -> None:
        if service in self.absent:
            raise ServiceAbsent(f"no service listens at {service}.sock")
        if service in self.down:
            raise ServiceError(f"no service answers at {service}.sock; start it with: linekeeper run")


class FakeMachine:
    """A folder with sysfs, devices and programs in it. What is written to rfkill shows in sysfs, as in the kernel."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.system = System(folder / "sys", folder / "dev", self._run)
        (folder / "dev").mkdir()
        self.program("uhubctl", UHUBCTL.format(folder=folder))
        self.program("systemctl", SYSTEMCTL.format(folder=folder))
        self.write("port-power", "on")
        self.write("unit-state", "active")
        self.write("sys/class/backlight/panel/bl_power", "0")
        for index, kind in enumerate(("bluetooth", "wlan", "wlan")):
            self.write(f"sys/class/rfkill/rfkill{index}/type", kind)
            self.write(f"sys/class/rfkill/rfkill{index}/soft", "0")
        self.network("eth0", carrier="1")
        self.network("wlan0", carrier="1", wireless=True)

    def __enter__(self) -> Self:
        rfkill = self.folder / "dev/rfkill"
        os.mkfifo(rfkill)
        self._rfkill = os.open(rfkill, os.O_RDWR | os.O_NONBLOCK)
        asyncio.get_running_loop().add_reader(self._rfkill, self._kernel)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.get_running_loop().remove_reader(self._rfkill)
        os.close(self._rfkill)

    def write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")

    def read(self, name: str) -> str:
        return (self.folder / name).read_text().strip()

    def program(self, name: str, text: str) -> None:
        file = self.folder / "bin" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        file.chmod(0o755)

    def network(self, name: str, *, carrier: str, wireless: bool = False) -> None:
        self.write(f"sys/class/net/{name}/type", "1")
        self.write(f"sys/class/net/{name}/carrier", carrier)
        (self.folder / f"sys/class/net/{name}/device").mkdir(exist_ok=True)
        if wireless:
            (self.folder / f"sys/class/net/{name}/phy80211").mkdir(exist_ok=True)

    def blocked(self) -> list[str]:
        """The soft block of bluetooth and two Wi-Fi radios."""
        return [self.read(f"sys/class/rfkill/rfkill{index}/soft") for index in range(3)]

    async def _run(self, *command: str) -> Finished:
        return await run_command(str(self.folder / "bin" / command[0]), *command[1:])

    def _kernel(self) -> None:
        events = os.read(self._rfkill, 4096)
        for index, _, operation, soft, _ in _EVENT.iter_unpack(events):
            assert operation == 2, "RFKILL_OP_CHANGE"
            self.write(f"sys/class/rfkill/rfkill{index}/soft", str(soft))


@pytest.fixture
async def machine(tmp_path: Path) -> Any:
    with FakeMachine(tmp_path) as made:
        yield made


@pytest.fixture
def services() -> FakeServices:
    return FakeServices()


@pytest.fixture
def pins() -> Iterator[Any]:
    with mock_factory() as factory:
        yield factory
