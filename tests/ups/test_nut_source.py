"""NUT's own server and drivers, and servers that misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from firmware.errors import PowerSourceLost
from firmware.ports import PowerReading
from firmware.ups.nut_client import NutClient, NutRefusal
from firmware.ups.nut_source import NutSource
from firmware.ups.sources import make_source
from tests.power_benches import DummyUps, dummy_ups, serial_ups


@pytest.fixture
async def nut(tmp_path: Path) -> AsyncIterator[DummyUps]:
    async with dummy_ups(tmp_path) as world:
        yield world


def source_of(world: DummyUps) -> NutSource:
    source = make_source(world.power)
    assert isinstance(source, NutSource)
    return source


def watched(source: NutSource) -> Any:
    return aclosing(cast(Any, source.readings()))


async def until(readings: Any, wanted: Callable[[PowerReading], bool]) -> PowerReading:
    async with asyncio.timeout(15):
        async for reading in readings:
            if wanted(reading):
                return cast(PowerReading, reading)
    raise AssertionError("the readings ended")


async def until_lost(readings: Any) -> PowerSourceLost:
    async with asyncio.timeout(30):
        try:
            async for _ in readings:
                pass
        except PowerSourceLost as error:
            return error
    raise AssertionError("the readings ended")


async def test_charge_runtime_and_an_old_battery_are_told(nut: DummyUps) -> None:
    async with source_of(nut) as source, watched(source) as readings:
        first = await anext(readings)
        assert (first.battery_percent, first.runtime_seconds, first.replace_battery) == (90.0, 5400.0, False)
        nut.set("battery.charge", "41.5")
        nut.flag("RB", on=True)
        await until(readings, lambda reading: reading.replace_battery and reading.battery_percent == 41.5)


async def test_a_shutdown_that_another_machine_decided_on_is_a_low_battery(nut: DummyUps) -> None:
    async with source_of(nut) as source, watched(source) as readings:
        nut.flag("FSD", on=True)
        await until(readings, lambda reading: reading.battery_low is True)


async def test_a_server_that_ends_is_told_and_a_new_one_is_found(nut: DummyUps) -> None:
    async with source_of(nut) as source:
        async with watched(source) as readings:
            await anext(readings)
            nut.stop_program("upsd")
            assert "127.0.0.1" in str(await until_lost(readings))
        async with watched(source) as readings:
            assert "systemctl start nut-server" in str(await until_lost(readings))
        nut.start_program("upsd")
        await nut.served("office")
        async with watched(source) as readings:
            await until(readings, lambda reading: reading.mains is True)


async def test_a_driver_that_ended_is_told(nut: DummyUps) -> None:
    async with source_of(nut) as source, watched(source) as readings:
        await anext(readings)
        nut.stop_program("dummy-ups")
        error = await until_lost(readings)
        assert isinstance(error, NutRefusal)
        assert error.code in ("DRIVER-NOT-CONNECTED", "DATA-STALE")


async def test_a_ups_of_another_name_is_told_at_the_start(nut: DummyUps) -> None:
    with pytest.raises(PowerSourceLost, match=r"UNKNOWN-UPS; name the UPS as ups\.conf does"):
        await NutSource("127.0.0.1", nut.port, "nix").__aenter__()


async def test_no_server_is_told_at_the_start(nut: DummyUps) -> None:
    nut.stop_program("upsd")
    with pytest.raises(PowerSourceLost, match="systemctl start nut-server"):
        await source_of(nut).__aenter__()


async def test_a_ups_that_can_be_told_to_cut_is_told_so(tmp_path: Path) -> None:
    """blazer_ser says on the serial line: cut after half a minute, give the output again three minutes later."""
    async with serial_ups(tmp_path) as (world, ups):
        source = NutSource("127.0.0.1", world.port, "serial", "keeper", tmp_path / "password")
        assert await source.cut_power()
        async with asyncio.timeout(10):
            assert await ups.commands.get() == "S.5R0003"
        ups.on_mains = False
        async with watched(source) as readings:
            await until(readings, lambda reading: reading.mains is False)


async def test_a_user_without_the_right_is_told(tmp_path: Path) -> None:
    async with serial_ups(tmp_path) as (world, _):
        wrong = tmp_path / "wrong"
        wrong.write_text("wrong")
        with pytest.raises(PowerSourceLost, match=r"ACCESS-DENIED; .*upsd\.users"):
            await NutSource("127.0.0.1", world.port, "serial", "keeper", wrong).cut_power()
        with pytest.raises(PowerSourceLost, match="password"):
            await NutSource("127.0.0.1", world.port, "serial", "keeper", tmp_path / "none").cut_power()
        assert not await NutSource("127.0.0.1", world.port, "serial").cut_power()


# --- servers that misbehave ---


@asynccontextmanager
async def server_that_says(answer: bytes | None) -> AsyncIterator[int]:
    """Answers anything with this; None says nothing at all."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            if answer is not None:
                writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b'BEGIN LIST VAR office\nVAR office x "\n',
        b"BEGIN LIST VAR office\nVAR other x y\n",
        b"ERR\n",
        b"\xff\xfe\n",
        b"x" * 10_000,
        b"BEGIN LIST VAR office\n" + b'VAR office x "y"\n' * 2001,
    ],
)
async def test_a_server_that_talks_nonsense_is_a_lost_source(answer: bytes) -> None:
    async with server_that_says(answer) as port:
        with pytest.raises(PowerSourceLost):
            await NutSource("127.0.0.1", port, "office").__aenter__()


@pytest.mark.fast_time
async def test_a_server_that_says_nothing_is_a_lost_source() -> None:
    async with server_that_says(None) as port:
        with pytest.raises(PowerSourceLost, match="no answer within 4 s"):
            await NutSource("127.0.0.1", port, "office").__aenter__()


async def test_a_word_that_no_line_can_carry_is_not_sent() -> None:
    async with server_that_says(b"OK\n") as port, NutClient("127.0.0.1", port) as client:
        with pytest.raises(PowerSourceLost, match="line break"):
            await client.log_in("keeper", "se\ncret")
