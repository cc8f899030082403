"""The power service as a whole, in simulated time: a source that a test speaks for, relays on mock pins, no calls."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

import pytest

from firmware.clock import SystemClock
from firmware.errors import ConfigurationError, PowerSourceLost, ServiceError, StorageError
from firmware.ports import PowerReading
from firmware.services.peers import Peers
from firmware.services.power import PowerService
from firmware.services.prove import proving
from firmware.settings import Settings, parse_settings
from firmware.storage.incident_store import IncidentStore
from firmware.storage.queries import Records
from firmware.ups.history import PowerHistory
from firmware.ups.history_file import read_boot_id, save_history
from tests.power_benches import mock_factory

pytestmark = pytest.mark.fast_time

COOLING, RADIO, LAMP = 22, 23, 24
_TEXT = """\
data_dir: {folder}/data
run_dir: {folder}/run
lines: [{{name: front, port: /dev/x}}]
power:
  profile: {profile}
  lamps: {{power: 24}}
  loads:
    - {{name: cooling, kind: relay, pin: 22, tier: 1}}
    - {{name: radio, kind: relay, pin: 23, tier: 2}}
"""


class Spoken:
    """A source that says what the test says, again every second."""

    place = "the test"

    def __init__(self) -> None:
        self.reading = PowerReading(mains=True)
        self.lost = False
        self._news = asyncio.Event()

    def say(self, mains: bool, **more: Any) -> None:
        self.reading = PowerReading(mains, **more)
        self._news.set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    async def readings(self) -> AsyncIterator[PowerReading]:
        while not self.lost:
            self._news.clear()
            yield self.reading
            try:
                async with asyncio.timeout(1.0):
                    await self._news.wait()
            except TimeoutError:
                continue
        raise PowerSourceLost("the test says nothing")

    async def cut_power(self) -> bool:
        return False


@pytest.fixture
def pins() -> Iterator[Any]:
    with mock_factory() as factory:
        yield factory


def settings(folder: Path, profile: str = "contact-nc") -> Settings:
    return parse_settings("test", _TEXT.format(folder=folder, profile=profile))


@asynccontextmanager
async def service(folder: Path) -> AsyncIterator[tuple[PowerService, Spoken]]:
    source = Spoken()
    async with PowerService(settings(folder), source=source) as power:
        await power.ready()
        await asyncio.sleep(30.0)
        yield power, source


def incidents(folder: Path, kind: str) -> list[dict[str, Any]]:
    with Records(folder / "data", ZoneInfo("Asia/Shanghai")) as records:
        return [incident for incident in records.incidents() if incident["kind"] == kind]


def switchings(pins: Any, pin: int) -> list[bool]:
    """Levels that a relay's pin has had, without repetitions, once it was driven."""
    levels = [state.state for state in pins.pin(pin).states]
    return [level for before, level in zip([None, *levels], levels, strict=False) if level != before]


async def test_ten_minutes_of_flapping_switch_each_load_once_each_way(pins: Any, tmp_path: Path) -> None:
    chance = random.Random(8)
    async with service(tmp_path) as (power, source):
        pins.pin(COOLING).clear_states()
        end = asyncio.get_running_loop().time() + 600.0
        mains = True
        while asyncio.get_running_loop().time() < end:
            mains = not mains
            source.say(mains)
            await asyncio.sleep(chance.choice([0.003, 0.05, 0.4, 1.0, 3.0]))
        source.say(True)
        assert power.status()["tier"] == 1
        await asyncio.sleep(200.0)
        assert power.status()["state"] == "on_mains"
        assert switchings(pins, COOLING) == [True, False, True]
    (outage,) = incidents(tmp_path, "power")
    assert outage["ended_at"] is not None


async def test_loss_is_acted_on_within_a_second_and_short_cuts_are_not(pins: Any, tmp_path: Path) -> None:
    async with service(tmp_path) as (power, source):
        for seconds in (0.003, 0.05, 0.25):
            source.say(False)
            await asyncio.sleep(seconds)
            source.say(True)
            await asyncio.sleep(5.0)
        assert power.status()["state"] == "on_mains"
        assert pins.pin(COOLING).state == 1
        source.say(False)
        await asyncio.sleep(0.9)
        assert power.status()["state"] == "on_battery"
        assert pins.pin(COOLING).state == 0
        assert pins.pin(RADIO).state == 1
        assert [load["shed"] for load in power.status()["loads"]] == [True, False]
        await asyncio.sleep(601.0)
        assert pins.pin(RADIO).state == 0


async def test_a_lost_source_is_an_incident_and_its_return_ends_it(pins: Any, tmp_path: Path) -> None:
    async with service(tmp_path) as (_, source):
        assert pins.pin(LAMP).state == 1
        source.lost = True
        await asyncio.sleep(60.0)
        (silent,) = incidents(tmp_path, "power_source")
        assert "the test says nothing" in silent["summary"]
        source.lost = False
        await asyncio.sleep(10.0)
        assert incidents(tmp_path, "power_source")[0]["ended_at"] is not None


async def test_incidents_of_an_earlier_run_end_where_this_one_finds_all_well(pins: Any, tmp_path: Path) -> None:
    store = IncidentStore(tmp_path / "data", SystemClock())
    (tmp_path / "data").mkdir()
    left_open = [("power", "mains"), ("power_source", "ups"), ("battery", "ups"), ("lamps", "pins")]
    left_open += [("load", "cooling"), ("power_service", "power")]
    for kind, place in left_open:
        await store.open_incident(kind, place, "something was wrong")
    await store.close()
    async with service(tmp_path):
        await asyncio.sleep(310.0)
    for kind, _ in left_open:
        assert [incident["ended_at"] is None for incident in incidents(tmp_path, kind)] == [False], kind


async def test_a_worn_battery_stays_an_incident_over_a_restart(pins: Any, tmp_path: Path) -> None:
    for _ in range(2):
        source = Spoken()
        source.say(True, replace_battery=True)
        async with PowerService(settings(tmp_path), source=source):
            await asyncio.sleep(60.0)
        (worn,) = incidents(tmp_path, "battery")
        assert worn["ended_at"] is None
    async with service(tmp_path):
        pass
    assert incidents(tmp_path, "battery")[0]["ended_at"] is not None


async def test_an_ordinary_start_opens_no_incident(pins: Any, tmp_path: Path) -> None:
    for _ in range(3):
        async with service(tmp_path):
            await asyncio.sleep(400.0)
    with Records(tmp_path / "data", ZoneInfo("Asia/Shanghai")) as records:
        assert list(records.incidents()) == []


async def test_a_crash_of_a_part_is_an_incident_that_ends_once_all_goes_well(
    pins: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with service(tmp_path) as (power, source):
        with monkeypatch.context() as broken:
            broken.setattr(power._desk.policy, "heard", lambda *_: 1 // 0)
            await asyncio.sleep(5.0)
        await asyncio.sleep(60.0)
        (crash,) = incidents(tmp_path, "power_service")
        assert "ZeroDivisionError" in crash["summary"]
        assert crash["ended_at"] is None
        source.say(False)
        await asyncio.sleep(0.9)
        assert power.status()["state"] == "on_battery"
        await asyncio.sleep(300.0)
        assert incidents(tmp_path, "power_service")[0]["ended_at"] is not None


async def test_pull_the_plug_proves_the_profile_and_survives_a_restart(pins: Any, tmp_path: Path) -> None:
    async with service(tmp_path) as (power, source):
        assert power.status()["proved"] is False
        told: list[str] = []

        async def technician() -> None:
            async for step in proving(settings(tmp_path)):
                told.append(step.sentence)
                if "pull the plug" in step.sentence:
                    source.say(False)
                if "put the plug back" in step.sentence:
                    source.say(True)

        await technician()
        assert [sentence.split(".")[0] for sentence in told] == [
            "Waiting until the UPS tells good mains",
            "Good mains is told",
            "The loss was seen, and loads were shed",
            "The return was seen",
        ]
        assert power.status()["proved"] is True
    async with service(tmp_path) as (power, _):
        assert power.status()["proved"] is True
    async with PowerService(settings(tmp_path, "contact-no"), source=Spoken()) as other:
        assert other.status()["proved"] is False


async def test_a_plug_that_nobody_pulls_proves_nothing(pins: Any, tmp_path: Path) -> None:
    async with service(tmp_path) as (power, _):
        steps = [step async for step in proving(settings(tmp_path))]
        assert steps[-1].proved is False
        assert "jumper" in steps[-1].sentence
        assert power.status()["proved"] is False
        assert (await Peers(settings(tmp_path)).ask("power", "prove"))["step"] == "no_mains_yet"


async def test_a_proof_that_was_given_up_is_begun_anew(pins: Any, tmp_path: Path) -> None:
    """Ctrl-C in `power prove` must not refuse the technician's next try for minutes."""
    async with service(tmp_path) as (power, source):
        given_up = proving(settings(tmp_path))
        assert "Waiting" in (await anext(given_up)).sentence
        await asyncio.sleep(119.0)
        told: list[str] = []
        async for step in proving(settings(tmp_path)):
            told.append(step.sentence)
            if "pull the plug" in step.sentence:
                await asyncio.sleep(30.0)  # longer than the first try had left
                source.say(False)
            if "put the plug back" in step.sentence:
                source.say(True)
        assert step.proved, told
        assert power.status()["proved"] is True


async def test_a_proof_that_the_disk_refuses_is_told_as_failed(
    pins: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StorageError("the disk is read-only; look at it")

    monkeypatch.setattr("firmware.services.power_memory.save_proof", refuse)
    async with service(tmp_path) as (power, source):
        async with asyncio.timeout(300.0):
            async for step in proving(settings(tmp_path)):
                source.say("pull the plug" not in step.sentence)
        assert step.proved is False
        assert "the disk is read-only" in step.sentence
        assert power.status()["proved"] is False
        assert incidents(tmp_path, "power_service") == []


async def test_a_power_service_that_restarts_during_the_proof_says_so(pins: Any, tmp_path: Path) -> None:
    async with service(tmp_path):
        steps = proving(settings(tmp_path))
        await anext(steps)
    async with service(tmp_path):
        with pytest.raises(ServiceError, match="begin anew"):
            async for _ in steps:
                pass


async def test_an_unknown_profile_is_told_with_what_is_near(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="x728"):
        PowerService(settings(tmp_path, "x729"))


async def test_what_was_shed_is_known_after_a_crash_in_an_outage(pins: Any, tmp_path: Path) -> None:
    async with service(tmp_path) as (_, source):
        source.say(False)
        await asyncio.sleep(5.0)
    # It ended while mains was away; the next run begins with mains there.
    async with service(tmp_path) as (power, _):
        await asyncio.sleep(300.0)
        assert power.status()["tier"] == 0
        assert pins.pin(COOLING).state == 1
        (outage,) = incidents(tmp_path, "power")
        assert outage["ended_at"] is not None


async def test_without_a_ups_nothing_is_told_and_nothing_is_shed(pins: Any, tmp_path: Path) -> None:
    async with PowerService(settings(tmp_path, "none")) as power:
        await power.ready()
        await asyncio.sleep(120.0)
        status = power.status()
        assert (status["state"], status["tier"], status["loads"]) == ("unknown", 0, [])
        assert "no UPS is configured" in status["reason"]
        assert "no UPS is configured" in power.sentence()
        with pytest.raises(ServiceError, match="nothing to prove"):
            await Peers(settings(tmp_path)).ask("power", "prove")
    assert [kind for kind in ("power", "power_source", "battery") if incidents(tmp_path, kind)] == []


async def test_a_restart_in_the_middle_of_a_shutdown_goes_on_with_it(pins: Any, tmp_path: Path) -> None:
    history = PowerHistory(read_boot_id(), ended_cleanly=False, tier=3, shutdown_reason="the battery holds 4 %")
    (tmp_path / "data").mkdir()
    save_history(tmp_path / "data", history)
    source = Spoken()
    source.say(False)
    async with PowerService(settings(tmp_path), source=source) as power:
        await power.ready()
        await asyncio.sleep(1.0)
        assert power.status()["state"] == "shutting_down"
        assert power.calls.battery_low is True
