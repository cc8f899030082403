"""What every `PowerSource` keeps to: on mock pins of both polarities, on NUT's own server, on the simulated UPS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing
from pathlib import Path
from typing import Any, cast

import pytest

from firmware.ports import PowerReading, PowerSource
from firmware.settings import parse_settings
from firmware.ups.sources import make_source
from tests.power_benches import PowerWorld, bench_ups, dummy_ups, mock_pins

WORLDS = ["contact-nc", "contact-no", "contact-no-battery-nc", "nut", "bench"]


@pytest.fixture(params=WORLDS)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[PowerWorld]:
    context: AbstractAsyncContextManager[PowerWorld]
    match request.param:
        case "nut":
            context = dummy_ups(tmp_path)
        case "bench":
            context = bench_ups(tmp_path)
        case profile:
            context = mock_pins(profile)
    async with context as made:
        yield made


@pytest.fixture
async def source(world: PowerWorld) -> AsyncIterator[PowerSource]:
    made = make_source(world.power)
    assert made is not None
    async with made:
        yield made


async def reading(readings: Any, **wanted: object) -> PowerReading:
    """The next one that says so."""
    async with asyncio.timeout(15):
        async for one in readings:
            if all(getattr(one, key) == value for key, value in wanted.items()):
                return cast(PowerReading, one)
    raise AssertionError("the readings ended")


async def test_the_level_is_told_at_once_and_again(source: PowerSource) -> None:
    loop = asyncio.get_running_loop()
    async with aclosing(cast(Any, source.readings())) as readings:
        began_seconds = loop.time()
        first = await anext(readings)
        assert loop.time() - began_seconds < 1
        assert (first.mains, bool(first.battery_low)) == (True, False)
        for _ in range(2):
            async with asyncio.timeout(2.5):
                assert (await anext(readings)).mains is True


async def test_mains_lost_and_back_is_told(world: PowerWorld, source: PowerSource) -> None:
    async with aclosing(cast(Any, source.readings())) as readings:
        await reading(readings, mains=True)
        await world.mains(on=False)
        await reading(readings, mains=False)
        await world.mains(on=True)
        await reading(readings, mains=True)


async def test_a_low_battery_is_told(world: PowerWorld, source: PowerSource) -> None:
    async with aclosing(cast(Any, source.readings())) as readings:
        await world.mains(on=False)
        await world.battery_low()
        await reading(readings, mains=False, battery_low=True)


async def test_whoever_begins_to_read_later_gets_the_level_of_then(world: PowerWorld, source: PowerSource) -> None:
    async with aclosing(cast(Any, source.readings())) as readings:
        await reading(readings, mains=True)
    await world.mains(on=False)
    async with aclosing(cast(Any, source.readings())) as readings:
        await reading(readings, mains=False)


async def test_it_is_configured_by_its_lines_of_yaml(world: PowerWorld) -> None:
    lines = "data_dir: /d\nrun_dir: /r\nlines: [{name: front, port: auto}]\n"
    assert parse_settings("test", f"{lines}power: {world.settings_yaml}\n").power == world.power


async def test_it_says_what_it_watches(source: PowerSource) -> None:
    assert source.place


async def test_it_can_be_told_to_cut_or_says_that_it_cannot(world: PowerWorld, source: PowerSource) -> None:
    told = await source.cut_power()
    assert told is (world.settings["profile"] == "bench")
