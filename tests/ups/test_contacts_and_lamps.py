from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

import pytest

from firmware.errors import PinError
from firmware.ports import AlarmContacts, ContactChange, Look
from firmware.power_settings import ContactSettings, LampSettings, PowerSettings
from firmware.simulation.ups import SimulatedUps
from firmware.ups.contacts import make_contacts
from firmware.ups.lamps import PinLamps
from tests.power_benches import mock_factory

pytestmark = pytest.mark.fast_time

DOOR = ContactSettings(name="door", pin=5, active="high")
FIRE = ContactSettings(name="fire", pin=6, active="low", debounce_seconds=0.0)


@pytest.fixture
def pins() -> Iterator[Any]:
    with mock_factory() as factory:
        yield factory


def watched(contacts: AlarmContacts) -> Any:
    return aclosing(cast(Any, contacts.changes()))


def nothing(text: str) -> None:
    raise AssertionError(text)


async def test_the_state_of_each_contact_is_told_at_once_then_every_change(pins: Any) -> None:
    pins.pin(5).wire(False)
    pins.pin(6).wire(True)
    async with make_contacts(PowerSettings(contacts=(DOOR, FIRE))) as contacts, watched(contacts) as changes:
        assert [await anext(changes) for _ in range(2)] == [ContactChange("door", False), ContactChange("fire", False)]
        pins.pin(5).wire(True)
        assert await anext(changes) == ContactChange("door", True)
        pins.pin(6).wire(False)
        assert await anext(changes) == ContactChange("fire", True)
        pins.pin(5).wire(False)
        assert await anext(changes) == ContactChange("door", False)


async def test_a_broken_wire_of_a_contact_that_opens_is_an_alarm(pins: Any) -> None:
    async with make_contacts(PowerSettings(contacts=(DOOR,))) as contacts, watched(contacts) as changes:
        assert await anext(changes) == ContactChange("door", True)


async def test_a_contact_with_a_resistor_of_its_own_needs_no_pull(pins: Any) -> None:
    pins.pin(5).wire(False)
    own = ContactSettings(name="door", pin=5, pull="none")
    async with make_contacts(PowerSettings(contacts=(own,))) as contacts, watched(contacts) as changes:
        assert await anext(changes) == ContactChange("door", False)
        pins.pin(5).wire(True)
        assert await anext(changes) == ContactChange("door", True)
        assert pins.pin(5).pull == "floating"


async def test_a_contact_that_bounces_is_told_once(pins: Any) -> None:
    pins.pin(5).wire(False)
    async with make_contacts(PowerSettings(contacts=(DOOR,))) as contacts, watched(contacts) as changes:
        await anext(changes)
        for _ in range(20):
            pins.pin(5).wire(True)
            await asyncio.sleep(0.01)
            pins.pin(5).wire(False)
            await asyncio.sleep(0.01)
        pins.pin(5).wire(True)
        assert await anext(changes) == ContactChange("door", True)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10):
                await anext(changes)


async def test_two_contacts_on_one_pin_are_told(pins: Any) -> None:
    twice = (DOOR, ContactSettings(name="gate", pin=5))
    with pytest.raises(PinError, match="GPIO 5 is used twice"):
        await make_contacts(PowerSettings(contacts=twice)).__aenter__()
    async with make_contacts(PowerSettings(contacts=(DOOR,))):
        pass


async def test_contacts_of_the_bench(tmp_path: Path) -> None:
    settings = PowerSettings(profile="bench", socket=tmp_path / "power.sock", contacts=(DOOR, FIRE))
    async with make_contacts(settings) as contacts, watched(contacts) as changes:
        assert [await anext(changes) for _ in range(2)] == [ContactChange("door", False), ContactChange("fire", False)]
        for _ in range(2):  # the bench may come late, and again
            async with SimulatedUps(tmp_path / "power.sock") as ups:
                ups.set_contact("door", active=True)
                ups.set_contact("unknown", active=True)
                assert await anext(changes) == ContactChange("door", True)
                ups.set_contact("door", active=False)
                assert await anext(changes) == ContactChange("door", False)


def shines(pins: Any, pin: int) -> list[bool]:
    return [state.state for state in pins.pin(pin).states]


async def test_lamps_shine_and_blink(pins: Any) -> None:
    lamps = PinLamps(LampSettings(line=5, fault=6), nothing)
    lamps.show("line", Look.ON)
    lamps.show("fault", Look.FAST)
    await asyncio.sleep(1.01)
    assert pins.pin(5).state is True
    assert len(shines(pins, 6)) == 1 + 9
    lamps.show("fault", Look.SLOW)
    pins.pin(6).clear_states()
    await asyncio.sleep(4.5)
    assert len(shines(pins, 6)) == 1 + 4
    lamps.show("fault", Look.OFF)
    lamps.show("line", Look.OFF)
    pins.pin(6).clear_states()
    await asyncio.sleep(10)
    assert shines(pins, 6) == [False]
    lamps.close()
    assert pins.pin(5).function == "input"


async def test_a_lamp_told_the_same_again_keeps_its_beat(pins: Any) -> None:
    lamps = PinLamps(LampSettings(power=5), nothing)
    for _ in range(59):
        lamps.show("power", Look.SLOW)
        await asyncio.sleep(0.1)
    assert shines(pins, 5) == [False, True, False, True, False, True, False]
    lamps.close()
    lamps.show("power", Look.ON)


async def test_a_lamp_that_is_not_wired_is_ignored(pins: Any) -> None:
    lamps = PinLamps(LampSettings(), nothing)
    lamps.show("message", Look.FAST)
    lamps.close()


async def test_a_lamp_that_cannot_be_driven_is_told_and_the_others_work(pins: Any) -> None:
    told: list[str] = []
    lamps = PinLamps(LampSettings(line=5, message=5, power=6), told.append)
    assert len(told) == 1
    assert told[0].startswith("the lamp message stays dark: GPIO 5 is used twice")
    lamps.show("power", Look.ON)
    lamps.show("message", Look.ON)
    assert pins.pin(6).state is True
    lamps.close()
