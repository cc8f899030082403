"""Whatever is killed, hung or started again, and when: what was decided is carried out, and all is well in the end.

Seeded chance pulls the plug, empties the battery, silences the UPS, and kills `power`, `calls` and `sync` at any
moment; in simulated time, with relays on mock pins and the other services as far as `power` sees them.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from firmware.errors import ServiceAbsent, ServiceError, StorageError
from firmware.ports import PowerReading
from firmware.services.power import PowerService
from firmware.settings import Settings, parse_settings
from firmware.storage.queries import Records
from firmware.ups.history import PowerHistory
from tests.power_benches import mock_factory
from tests.services.test_power_service import Spoken

pytestmark = pytest.mark.fast_time

COOLING, RADIO = 22, 23
_TEXT = """\
data_dir: {folder}/data
run_dir: {folder}/run
lines: [{{name: front, port: /dev/x}}]
power:
  profile: nut
  loads:
    - {{name: speech, kind: speech, tier: 1}}
    - {{name: cooling, kind: relay, pin: 22, tier: 1}}
    - {{name: sync, kind: sync, tier: 2}}
    - {{name: radio, kind: relay, pin: 23, tier: 2}}
"""
# Confirmed, callers released, records closed, notes written; every part of it at its longest.
_OFF_WITHIN_SECONDS = 0.3 + 2.0 + 20.0 + 30.0 + 10.0 + 1.0


class Other:
    """`calls` or `sync`, as far as `power` sees it; a new start forgets what was asked."""

    def __init__(self) -> None:
        self.state = "good"
        self.forget()

    def forget(self) -> None:
        self.speech, self.low_battery, self.every_seconds = True, False, None

    async def answer(self, seconds: float) -> None:
        if self.state == "absent":
            raise ServiceAbsent("no service answers")
        if self.state == "hung":
            await asyncio.sleep(seconds)
            raise ServiceError("no service answers in time")

    def status(self) -> dict[str, Any]:
        return {
            "speech": self.speech and not self.low_battery,
            "low_battery": self.low_battery,
            "quiet": self.low_battery,
            "every_seconds": self.every_seconds,
        }


class World:
    """All that outlives the power service, and the machine that can be switched off."""

    def __init__(self, folder: Path) -> None:
        self.others = {"calls": Other(), "sync": Other()}
        self.source = Spoken()
        self.boot = 1
        self.settings: Settings = parse_settings("test", _TEXT.format(folder=folder))
        self.ends: list[tuple[float, str]] = []
        """When and how the machine was told to go down; the next boot follows once mains is there."""
        self.power: PowerService | None = None
        self.mains, self.low = True, False
        self.say(mains=True, low=False)

    # As `Peers` does it.
    async def ask(self, service: str, action: str, **details: Any) -> Any:
        other = self.others[service]
        await other.answer(30.0)
        match action:
            case "speech":
                other.speech = details["on"]
            case "low_battery":
                other.low_battery = details["on"]
            case "pace":
                other.every_seconds = details["every_seconds"]
        return other.status()

    def close(self) -> None:
        """As `Peers`: nothing is kept open here."""

    async def view(self, service: str, name: str) -> Any:
        assert name == "status"
        await self.others[service].answer(3.0)
        return self.others[service].status()

    def say(self, *, mains: bool | None = None, low: bool | None = None) -> None:
        self.mains = self.mains if mains is None else mains
        self.low = self.low if low is None else low
        self.source.reading = PowerReading(self.mains, self.low, 4.0 if self.low else 90.0)
        self.source._news.set()

    async def start(self) -> None:
        self.power = _Power(self.settings, source=self.source)
        await self.power.__aenter__()
        await self.power.ready()

    async def stop(self, *, cleanly: bool) -> None:
        assert isinstance(self.power, _Power)
        self.power.killed = not cleanly
        await self.power.__aexit__(None, None, None)
        self.power = None

    async def reboot(self) -> None:
        """The machine went down in good order, and starts."""
        await self.stop(cleanly=True)
        self.boot += 1
        self.ends.clear()
        for other in self.others.values():
            other.state = "good"
            other.forget()
        await self.start()

    @property
    def state(self) -> str:
        assert self.power is not None
        return str(self.power.status()["state"])


class _Power(PowerService):
    killed = False

    async def _end_cleanly(self) -> None:
        if not self.killed:
            await super()._end_cleanly()


@pytest.fixture
def pins() -> Iterator[Any]:
    with mock_factory() as factory:
        yield factory


@asynccontextmanager
async def running(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    (folder / "data").mkdir(parents=True)
    world = World(folder)

    class Machine:
        def __init__(self, _off: object, _anew: object, _source: object, tell: Callable[[str], None]) -> None:
            self._tell = tell

        async def go_down(self, *, mains_there: bool) -> None:
            world.ends.append((asyncio.get_running_loop().time(), "anew" if mains_there else "off"))

        async def start_anew(self) -> None:
            world.ends.append((asyncio.get_running_loop().time(), "anew"))

    monkeypatch.setattr("firmware.services.power.Peers", lambda _: world)
    monkeypatch.setattr("firmware.services.power.PowerOff", Machine)
    monkeypatch.setattr("firmware.services.power.read_boot_id", lambda: f"boot {world.boot}")
    await world.start()
    try:
        yield world
    finally:
        await world.stop(cleanly=True)


def _open_incidents(folder: Path) -> list[dict[str, Any]]:
    with Records(folder / "data", ZoneInfo("Asia/Shanghai")) as records:
        return [incident for incident in records.incidents() if incident["ended_at"] is None]


async def _something(world: World, chance: random.Random) -> None:
    """One thing that may happen."""
    match chance.choice(["mains", "mains", "low", "lose", "restart", "restart", "other", "other", "other"]):
        case "mains":
            world.say(mains=not world.mains)
        case "low":
            world.say(low=not world.low)
        case "lose":
            world.source.lost = not world.source.lost
        case "restart":
            await world.stop(cleanly=chance.random() < 0.3)
            await asyncio.sleep(chance.choice([0.0, 0.2, 5.0]))
            await world.start()
        case "other":
            other = world.others[chance.choice(["calls", "sync"])]
            other.state = chance.choice(["good", "hung", "absent"])
            if other.state != "hung":
                other.forget()


async def _all_is_well(world: World, pins: Any, folder: Path) -> None:
    world.source.lost = False
    world.say(mains=True, low=False)
    for other in world.others.values():
        if other.state == "hung":  # its watchdog starts it again
            other.forget()
        other.state = "good"
    for _ in range(4):
        await asyncio.sleep(400.0)
        if world.ends:
            await world.reboot()
    await asyncio.sleep(400.0)
    assert world.power is not None
    assert world.state == "on_mains", world.power.status()
    assert [(load["shed"], load["fault"]) for load in world.power.status()["loads"]] == [(False, None)] * 4
    assert (pins.pin(COOLING).state, pins.pin(RADIO).state) == (1, 1)
    assert world.others["calls"].status()["speech"] is True
    assert world.others["calls"].low_battery is False
    assert world.others["sync"].every_seconds is None
    assert _open_incidents(folder) == []


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_restarts_all_is_well_in_the_end(
    pins: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    async with running(tmp_path, monkeypatch) as world:
        for _ in range(40):
            await _something(world, chance)
            await asyncio.sleep(chance.choice([0.0, 0.01, 0.4, 2.5, 10.0, 20.0, 40.0, 150.0]))
            if world.ends and (world.mains or chance.random() < 0.3):
                await world.reboot()
        await _all_is_well(world, pins, tmp_path)


@pytest.mark.parametrize("seed", range(8))
async def test_an_empty_battery_ends_in_good_order_whatever_restarts(
    pins: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """The power service is killed at any moment of it; calls and sync are good, hung or absent."""
    chance = random.Random(seed)
    async with running(tmp_path, monkeypatch) as world:
        await asyncio.sleep(5.0)
        world.say(mains=False)
        await asyncio.sleep(1.0)
        assert pins.pin(COOLING).state == 0
        await asyncio.sleep(chance.choice([0.0, 30.0, 700.0]))
        for other in world.others.values():
            other.state = chance.choice(["good", "hung", "absent"])
        world.say(low=True)
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(chance.uniform(0.0, 55.0))
        if not world.ends:
            await world.stop(cleanly=False)
            await world.start()
            began = asyncio.get_running_loop().time()
        while not world.ends and asyncio.get_running_loop().time() < began + _OFF_WITHIN_SECONDS:
            await asyncio.sleep(0.5)
        assert [how for _, how in world.ends] == ["off"], world.power and world.power.status()
        assert (pins.pin(COOLING).state, pins.pin(RADIO).state) == (0, 0)
        await asyncio.sleep(60.0)
        assert len(world.ends) == 1
        world.say(mains=True, low=False)
        await world.reboot()
        await _all_is_well(world, pins, tmp_path)


@pytest.mark.parametrize("seconds", [0.0, 0.1, 1.0, 2.2, 2.6, 10.0])
async def test_callers_are_not_called_back_in_by_a_restart_at_low_battery(
    pins: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    async with running(tmp_path, monkeypatch) as world:
        await asyncio.sleep(5.0)
        world.say(mains=False, low=True)
        await asyncio.sleep(8.0)
        assert world.others["calls"].low_battery is True
        await world.stop(cleanly=False)
        await world.start()
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end:
            assert world.others["calls"].low_battery is True
            await asyncio.sleep(0.05)
        assert world.others["calls"].low_battery is True


async def test_a_disk_that_hangs_does_not_keep_the_machine_up_on_an_empty_battery(
    pins: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    async def give_up(*_: object, **__: object) -> None:
        await asyncio.sleep(10.0)
        raise StorageError("the disk does not answer")

    async with running(tmp_path, monkeypatch) as world:
        await asyncio.sleep(5.0)
        with monkeypatch.context() as disk:
            disk.setattr("firmware.services.power_memory.PowerMemory._save", hang)
            disk.setattr("firmware.storage.incident_store.BriefDatabase.write", give_up)
            world.others["calls"].state = "hung"
            world.say(mains=False, low=True)
            await asyncio.sleep(0.9)
            assert pins.pin(COOLING).state == 0
            await asyncio.sleep(_OFF_WITHIN_SECONDS)
            assert [how for _, how in world.ends] == ["off"]


async def test_what_the_next_start_must_know_is_on_the_disk_before_power_goes_off(
    pins: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[tuple[float, PowerHistory]] = []

    async def slowly(_: object, history: PowerHistory) -> None:
        await asyncio.sleep(3.0)
        saved.append((asyncio.get_running_loop().time(), history))

    async with running(tmp_path, monkeypatch) as world:
        monkeypatch.setattr("firmware.services.power_memory.PowerMemory._save", slowly)
        await asyncio.sleep(5.0)
        world.say(mains=False, low=True)
        await asyncio.sleep(_OFF_WITHIN_SECONDS)
        ((off_at, _),) = world.ends
        (decided_at, *_) = [at for at, history in saved if history.shutdown_reason]
        assert decided_at <= off_at
