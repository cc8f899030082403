"""What every `LoadSwitch` keeps to."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import gpiozero
import pytest

from firmware.errors import LoadError
from firmware.ports import LoadSwitch
from firmware.power_settings import LoadSettings, PowerSettings
from firmware.ups.loads.making import opened_loads

LOADS = [
    LoadSettings(name="speech", kind="speech"),
    LoadSettings(name="sync", kind="sync", tier=2, every_seconds=900.0),
    LoadSettings(name="fan", kind="relay", pin=20),
    LoadSettings(name="cooler", kind="relay", pin=21, active="low"),
    LoadSettings(name="office", kind="unit", unit="linekeeper-office.service", tier=2),
    LoadSettings(name="wifi", kind="radio", device="wifi"),
    LoadSettings(name="bluetooth", kind="radio", device="bluetooth"),
    LoadSettings(name="panel", kind="display"),
    LoadSettings(name="camera", kind="usb_port", hub="1-1", port=2),
    LoadSettings(name="second", kind="usb_port", hub="1-1", port=2, line="back", tier=2),
]


@pytest.fixture(params=LOADS, ids=lambda load: load.name)
def load(request: pytest.FixtureRequest, machine: Any, services: Any, pins: Any) -> Iterator[LoadSwitch]:
    with opened_loads(PowerSettings(loads=(request.param,)), services, machine.system) as loads:
        [(made, tier)] = loads
        assert (made.name, tier) == (request.param.name, request.param.tier)
        yield made


async def becomes(load: LoadSwitch, *, shed: bool) -> None:
    async with asyncio.timeout(10):
        while not await load.check(shed=shed):
            await asyncio.sleep(0)


async def test_making_it_sheds_nothing(load: LoadSwitch) -> None:
    assert not await load.check(shed=True)


async def test_it_is_shed_and_comes_back(load: LoadSwitch) -> None:
    for _ in range(2):
        await load.shed()
        await becomes(load, shed=True)
        assert not await load.check(shed=False)
        await load.restore()
        await becomes(load, shed=False)
        assert not await load.check(shed=True)


async def test_every_method_may_be_called_again(load: LoadSwitch) -> None:
    await load.restore()
    await becomes(load, shed=False)
    await load.shed()
    await load.shed()
    await becomes(load, shed=True)
    await load.restore()
    await load.restore()
    await becomes(load, shed=False)


async def test_what_it_needs_is_gone(
    load: LoadSwitch, machine: Any, services: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every failure is a sentence with the load's name in it, and never another kind of error."""
    services.down = {"calls", "sync"}
    for folder in ("bin", "sys", "dev"):
        (machine.folder / folder).rename(machine.folder / f"no-{folder}")
    monkeypatch.setattr(gpiozero.Device, "pin_factory", None)
    with pytest.raises(LoadError) as caught:
        await load.shed()
    assert load.name in str(caught.value) or "installed" in str(caught.value)
