from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import PowerSourceLost
from firmware.ports import PowerReading
from firmware.simulation.ups import SimulatedUps
from firmware.simulation.ups_battery import Battery
from firmware.ups.bench_source import BenchSource, reading_from


def watched(source: BenchSource) -> Any:
    return aclosing(cast(Any, source.readings()))


@pytest.mark.fast_time
async def test_a_flap_of_three_milliseconds_is_told_as_it_is(tmp_path: Path) -> None:
    """The simulated UPS has no bounce of contacts: what is shorter than an outage is for the policy to confirm."""
    async with SimulatedUps(tmp_path / "power.sock") as ups, BenchSource(ups.path) as source, watched(source) as heard:
        await anext(heard)
        ups.flap(0.003)
        assert [(await anext(heard)).mains for _ in range(2)] == [False, True]


@pytest.mark.fast_time
async def test_a_draining_battery_is_told_from_second_to_second(tmp_path: Path) -> None:
    async with SimulatedUps(tmp_path / "power.sock") as ups, BenchSource(ups.path) as source, watched(source) as heard:
        ups.set_battery(Battery(10.1))
        ups.set_mains(on=False)
        percents = []
        while not (reading := await anext(heard)).battery_low:
            percents.append(reading.battery_percent)
        assert len(percents) > 5
        assert reading.battery_percent == pytest.approx(10.0, abs=0.01)


@pytest.mark.fast_time
async def test_a_silent_ups_is_a_lost_source_and_found_again(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    async with SimulatedUps(tmp_path / "power.sock") as ups, BenchSource(ups.path) as source:
        async with watched(source) as heard:
            await anext(heard)
            ups.silent = True
            began_seconds = loop.time()
            with pytest.raises(PowerSourceLost, match="says nothing"):
                await anext(heard)
            assert loop.time() - began_seconds <= 6
        async with watched(source) as heard:
            with pytest.raises(PowerSourceLost):
                await anext(heard)
        ups.silent = False
        async with watched(source) as heard:
            assert (await anext(heard)).mains is True


async def test_a_ups_that_ends_is_told_and_a_new_one_is_found(tmp_path: Path) -> None:
    path = tmp_path / "power.sock"
    async with SimulatedUps(path) as ups:
        source = await BenchSource(ups.path).__aenter__()
        readings = cast(Any, source.readings())
        await anext(readings)
    with pytest.raises(PowerSourceLost, match="closed its socket"):
        await anext(readings)
    with pytest.raises(PowerSourceLost, match="linekeeper bench serve"):
        await anext(cast(Any, source.readings()))
    async with SimulatedUps(path), watched(source) as heard:
        assert (await anext(heard)).mains is True


@pytest.mark.fast_time
async def test_it_is_told_to_cut_later(tmp_path: Path) -> None:
    async with SimulatedUps(tmp_path / "power.sock") as ups:
        ups.set_mains(on=False)
        assert await BenchSource(ups.path, cut_after_seconds=20).cut_power()
        await asyncio.sleep(19)
        assert ups.output
        await asyncio.sleep(2)
        assert not ups.output


@asynccontextmanager
async def socket_that_says(path: Path, answer: bytes) -> AsyncIterator[None]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await reader.read()
        writer.close()

    async with await asyncio.start_unix_server(serve, path):
        yield


@pytest.mark.fast_time
@pytest.mark.parametrize("answer", [b"hello\n", b"\xff\n", b"[" * 70_000, b"x" * 70_000, b"{}\n", b"[1]\n", b""])
async def test_nonsense_is_a_lost_source(answer: bytes, tmp_path: Path) -> None:
    path = tmp_path / "power.sock"
    async with socket_that_says(path, answer), watched(BenchSource(path)) as heard:
        with pytest.raises(PowerSourceLost):
            await anext(heard)


FIELDS = st.sampled_from(["mains", "battery_low", "battery_percent", "runtime_seconds", "replace_battery"])
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.none())


@given(st.dictionaries(FIELDS, VALUES))
def test_whatever_has_not_the_right_form_counts_as_not_told(state: dict[str, Any]) -> None:
    reading = reading_from(state)
    assert reading.mains in (True, False, None)
    assert reading.battery_percent is None or isinstance(reading.battery_percent, float)
    assert isinstance(reading, PowerReading)
