"""The hardware rig, dry: labgrid, our far-end modems and the scenarios are real; what they handle is the bench."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, ClassVar

import pytest
import pytest_asyncio

from firmware.simulation.bench import Bench
from firmware.simulation.exchange import Exchange
from firmware.simulation.far_end import FarEnd
from firmware.simulation.voices import babble
from hil.bench_rig import Appliance
from hil.hardware_rig import HardwareRig
from hil.labgrid_driver import Labgrid, RigFault
from hil.rig import Rig, RigAbsent
from hil.rig_file import read_rig_file
from hil.scenarios.test_faults import test_power_cut_while_recording_keeps_what_was_spoken
from hil.scenarios.test_messages import test_message_is_kept_before_the_caller_hears_so

labgrid = pytest.importorskip("labgrid", reason="labgrid is not installed (pip install -e '.[rig]')")
attr = pytest.importorskip("attr")
drivers = pytest.importorskip("labgrid.driver")
command_mixin = pytest.importorskip("labgrid.driver.commandmixin")
protocols = pytest.importorskip("labgrid.protocol")
pytest.importorskip("labgrid.driver.fake")

# Collected here, with this module's `rig`.
__all__ = [
    "test_message_is_kept_before_the_caller_hears_so",
    "test_power_cut_while_recording_keeps_what_was_spoken",
]

CALLER = "13912345678"


@labgrid.target_factory.reg_driver
@attr.s(eq=False)
class BenchPowerDriver(drivers.Driver, protocols.PowerProtocol):  # type: ignore[name-defined, misc]
    """Switches what the test put under its name."""

    switches: ClassVar[dict[str, Callable[[bool], None]]] = {}

    def on(self) -> None:
        self.switches[self.name](True)

    def off(self) -> None:
        self.switches[self.name](False)

    def cycle(self) -> None:
        raise NotImplementedError


@labgrid.target_factory.reg_driver
@attr.s(eq=False)
class LocalShellDriver(command_mixin.CommandMixin, drivers.Driver, protocols.CommandProtocol):  # type: ignore[name-defined, misc]
    """A shell on this machine, dead while `alive` says so: a stand-in for SSH."""

    alive: ClassVar[Callable[[], bool]] = lambda: True

    def on_activate(self) -> None:
        if not LocalShellDriver.alive():
            # As labgrid's SSHDriver does.
            raise Exception("Timeout while waiting for ssh connection")  # noqa: TRY002

    def run(self, command: str, *, timeout: float | None = None) -> tuple[list[str], list[str], int]:
        return self._run(command, timeout=timeout)

    def get_status(self) -> int:
        return 1

    def _run(self, command: str, *, timeout: float | None = None, **_: Any) -> tuple[list[str], list[str], int]:
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=timeout, check=False)
        return done.stdout.splitlines(), done.stderr.splitlines(), done.returncode


class BenchHardware:
    """Appliance and modems of two lines with a common supply, and two far ends."""

    def __init__(self, directory: Path) -> None:
        self.bench = Bench(4, "conexant", wire="pty", directory=directory)
        self.appliance = Appliance(directory, {"front": directory / "line1", "back": directory / "line2"})
        self.plugged: set[str] = set()
        self.running = False
        self._loop = asyncio.get_running_loop()

    def switches(self) -> dict[str, Callable[[bool], None]]:
        return {
            "supply": self._switch(self._supply),
            "front-usb": self._switch(lambda on: self._plug("line1", on)),
            "back-usb": self._switch(lambda on: self._plug("line2", on)),
        }

    def _switch(self, act: Callable[[bool], Coroutine[None, None, None]]) -> Callable[[bool], None]:
        return lambda on: asyncio.run_coroutine_threadsafe(act(on), self._loop).result(60)

    async def _supply(self, on: bool) -> None:
        if on == self.running:
            return
        self.running = on
        for line in ("line1", "line2"):
            await self._plug(line, on)
        await (self.appliance.start() if on else self.appliance.kill())

    async def _plug(self, line: str, on: bool) -> None:
        if on == (line in self.plugged):
            return
        self.plugged ^= {line}
        (self.bench.line(line).replug if on else self.bench.line(line).unplug)()


RIG = """\
linekeeper:
  appliance: {{command: "{command}", reset: "true", supply: supply, ready_seconds: 30}}
  lines:
    - {{name: front, number: "8001", plug: front-usb, far_end: {{modem: {directory}/line3}}}}
    - {{name: back, number: "8002", plug: back-usb, far_end: {{modem: {directory}/line4}}}}
targets:
  main:
    drivers:
      - LocalShellDriver: {{name: shell}}
      - BenchPowerDriver: {{name: supply}}
      - BenchPowerDriver: {{name: front-usb}}
      - BenchPowerDriver: {{name: back-usb}}
"""


@pytest_asyncio.fixture
async def hardware(
    tmp_path: Path, trunk: Callable[[Exchange, str, str], FarEnd], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[BenchHardware]:
    hardware = BenchHardware(tmp_path)
    async with hardware.bench as bench:
        for line, number in (("line1", "8001"), ("line2", "8002")):
            bench.line(line).unplug()
            bench.exchange.register(number, trunk(bench.exchange, line, CALLER))
        monkeypatch.setattr(BenchPowerDriver, "switches", hardware.switches())
        monkeypatch.setattr(LocalShellDriver, "alive", lambda: hardware.running)
        yield hardware
        await hardware.appliance.stop()


@pytest_asyncio.fixture
async def rig(hardware: BenchHardware, tmp_path: Path) -> AsyncIterator[Rig]:
    command = f"{sys.executable} -m firmware.cli --config {tmp_path}/linekeeper.yaml"
    file = tmp_path / "rig.yaml"
    file.write_text(RIG.format(command=command, directory=tmp_path), encoding="utf-8")
    async with HardwareRig(read_rig_file(file)) as rig:
        yield rig


@pytest.fixture
def long_talk() -> bytes:
    return babble(8.0, random.Random(5))


@pytest.fixture
def words() -> bytes:
    return babble(3.0, random.Random(7))


async def opened(tmp_path: Path, environment: str) -> Labgrid:
    file = tmp_path / "environment.yaml"
    file.write_text(environment, encoding="utf-8")
    opened = Labgrid(file, "main")
    await opened.open()
    return opened


async def test_switch_may_be_a_power_driver_or_a_relay(tmp_path: Path) -> None:
    relay = tmp_path / "relay"
    relay.write_text("0\n")
    place = await opened(
        tmp_path,
        "targets: {main: {drivers: [{FakePowerDriver: {name: socket}},"
        f" {{FileDigitalOutputDriver: {{name: relay, filepath: {relay}}}}}]}}}}",
    )
    await place.switch("socket", on=True)
    await place.switch("relay", on=True)
    assert relay.read_text() == "1\n"
    await place.switch("relay", on=False)
    assert relay.read_text() == "0\n"
    with pytest.raises(RigFault, match="the switch 'lamp' does not work"):
        await place.switch("lamp", on=True)
    await place.close()


async def test_failed_command_is_told_with_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = await opened(tmp_path, "targets: {main: {drivers: {LocalShellDriver: {}}}}")
    assert await place.run("printf 'one\\ntwo\\n'") == "one\ntwo"
    with pytest.raises(RigFault, match="no room on the disk"):
        await place.run("echo no room on the disk >&2; false")
    monkeypatch.setattr(LocalShellDriver, "alive", lambda: False)
    with pytest.raises(RigFault, match="the appliance cannot be reached: Timeout while waiting for ssh"):
        await place.connect(patience_seconds=0)
    await place.close()


async def test_without_labgrid_the_rig_is_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "labgrid", None)
    with pytest.raises(RigAbsent, match="labgrid is not installed"):
        await opened(tmp_path, "targets: {main: {drivers: {}}}")


async def test_appliance_that_is_out_of_reach_is_an_absent_rig(
    hardware: BenchHardware, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LocalShellDriver, "alive", lambda: False)
    file = tmp_path / "rig.yaml"
    text = RIG.format(command="linekeeper", directory=tmp_path).replace("ready_seconds: 30", "ready_seconds: 0.1")
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RigAbsent, match="the appliance cannot be reached"):
        async with HardwareRig(read_rig_file(file)):
            pass


async def test_appliance_that_does_not_get_ready_is_a_failure(hardware: BenchHardware, tmp_path: Path) -> None:
    """A broken appliance must not look like absent hardware, or every night would be green."""
    file = tmp_path / "rig.yaml"
    text = RIG.format(command="false", directory=tmp_path).replace("ready_seconds: 30", "ready_seconds: 0.1")
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RigFault, match="not ready after"):
        async with HardwareRig(read_rig_file(file)):
            pass


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ("targets: {other: {drivers: {}}}", "no labgrid target 'main'"),
        ("targets: {main: {drivers: {NoSuchDriver: {}}}}", "unknown driver class NoSuchDriver"),
        ("", "Configuration file is empty"),
    ],
)
async def test_unusable_environment_is_an_absent_rig(tmp_path: Path, environment: str, reason: str) -> None:
    with pytest.raises(RigAbsent, match=reason):
        await opened(tmp_path, environment)
