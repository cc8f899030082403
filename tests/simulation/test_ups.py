from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.simulation.fast_time import fast
from firmware.simulation.json_lines import JsonLinesServer, Message
from firmware.simulation.ups import SimulatedUps
from firmware.simulation.ups_battery import Battery


async def states(reader: asyncio.StreamReader, count: int) -> list[tuple[bool, bool]]:
    async with asyncio.timeout(5):
        lines = [json.loads(await reader.readline()) for _ in range(count)]
    assert all(isinstance(line["at"], float) for line in lines)
    return [(line["mains"], line["battery_low"]) for line in lines]


async def test_a_client_gets_the_state_at_once_and_every_change(tmp_path: Path) -> None:
    async with SimulatedUps(tmp_path / "power.sock") as ups:
        reader, writer = await asyncio.open_unix_connection(ups.path)
        assert await states(reader, 1) == [(True, False)]
        ups.set_mains(on=False)
        ups.set_mains(on=False)
        ups.set_battery_low()
        ups.set_mains(on=True)
        assert await states(reader, 3) == [(False, False), (False, True), (True, False)]
        late, late_writer = await asyncio.open_unix_connection(ups.path)
        assert await states(late, 1) == [(True, False)]
        writer.close()
        late_writer.close()
    assert not (tmp_path / "power.sock").exists()


async def test_closing_ends_the_clients_too(tmp_path: Path) -> None:
    async with SimulatedUps(tmp_path / "power.sock") as ups:
        reader, writer = await asyncio.open_unix_connection(ups.path)
        await states(reader, 1)
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    writer.close()


async def test_a_socket_left_over_by_a_crash_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "power.sock").touch()
    async with SimulatedUps(tmp_path / "power.sock") as ups:
        reader, writer = await asyncio.open_unix_connection(ups.path)
        assert await states(reader, 1) == [(True, False)]
        writer.close()


async def test_clients_that_misbehave_harm_nobody(tmp_path: Path) -> None:
    taken: list[str] = []
    async with JsonLinesServer(tmp_path / "any.sock", list, taken.append) as server:
        endless_reader, endless = await asyncio.open_unix_connection(server.path)
        endless.write(b"x" * 200_000)
        async with asyncio.timeout(5):
            assert await endless_reader.read() == b""
        _, deaf = await asyncio.open_unix_connection(server.path)
        reader, writer = await asyncio.open_unix_connection(server.path)
        writer.write(b"\xff one\ntwo\n")
        while len(taken) < 2:
            await asyncio.sleep(0)
        assert taken == ["\ufffd one\n", "two\n"]
        for _ in range(40):
            server.say({"text": "x" * 60_000})
            async with asyncio.timeout(5):
                assert len(await reader.readuntil(b"}\n")) > 60_000
        for one in (endless, deaf, writer):
            one.close()


class Client:
    """Asks, and keeps what it is told."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    async def told(self) -> Any:
        async with asyncio.timeout(60):
            return json.loads(await self._reader.readline())

    async def ask(self, **fields: object) -> Any:
        self.writer.write(json.dumps(fields).encode() + b"\n")
        return await self.told()


async def client_of(ups: SimulatedUps) -> Client:
    return Client(*await asyncio.open_unix_connection(ups.path))


@pytest.mark.fast_time
async def test_a_battery_drains_by_its_load_warns_and_runs_out(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    told: list[Message] = []
    async with SimulatedUps(tmp_path / "power.sock") as ups:
        ups.watch(told.append)
        ups.set_battery(Battery(40.0, watt_hours=20.0, load_watts=10.0))
        await asyncio.sleep(600)
        assert ups.state()["battery_percent"] == pytest.approx(40.0 + 100 * 600 / 7200, abs=0.1)
        ups.set_battery(Battery(40.0, watt_hours=20.0, load_watts=10.0))
        began_seconds = loop.time()
        ups.set_mains(on=False)
        assert ups.state()["runtime_seconds"] == 2880.0
        await asyncio.sleep(720)
        assert ups.state()["battery_percent"] == pytest.approx(30.0, abs=0.1)
        assert not ups.battery_low
        await asyncio.sleep(3600)
        assert [event["event"] for event in told] == ["power", "output"]
        low, empty = told
        assert low["battery_low"] is True
        assert low["at"] == pytest.approx(began_seconds + 2160, abs=1)
        assert empty["on"] is False
        assert empty["at"] == pytest.approx(began_seconds + 2880, abs=1)
        ups.set_mains(on=True)
        await asyncio.sleep(10)
        assert ups.output
        assert not ups.battery_low


@pytest.mark.fast_time
async def test_it_cuts_its_output_when_told_and_gives_it_again_with_mains(tmp_path: Path) -> None:
    async with SimulatedUps(tmp_path / "power.sock") as ups:
        client = await client_of(ups)
        assert (await client.told())["output"] is True
        ups.set_mains(on=False)
        await client.told()
        assert await client.ask(do="cut", after_seconds=20) == {"do": "cut", "after_seconds": 20}
        await asyncio.sleep(19)
        assert ups.output
        assert (await client.told())["output"] is False
        await asyncio.sleep(3600)
        assert not ups.output
        ups.set_mains(on=True)
        assert (await client.told())["mains"] is True
        assert (await client.told())["output"] is True
        client.writer.close()


@pytest.mark.fast_time
async def test_mains_that_is_back_before_the_cut_does_not_prevent_it(tmp_path: Path) -> None:
    """Otherwise the appliance would be down for good: nothing would ever start it."""
    told: list[Message] = []
    async with SimulatedUps(tmp_path / "power.sock") as ups:
        ups.watch(told.append)
        client = await client_of(ups)
        await client.told()
        await client.ask(do="cut", after_seconds=20)
        await asyncio.sleep(60)
        assert [(event["event"], event["on"]) for event in told] == [("output", False), ("output", True)]
        client.writer.close()


@pytest.mark.fast_time
async def test_one_that_never_cuts_takes_the_command_all_the_same(tmp_path: Path) -> None:
    told: list[Message] = []
    async with SimulatedUps(tmp_path / "power.sock") as ups:
        ups.watch(told.append)
        ups.set_never_cuts(never=True)
        client = await client_of(ups)
        await client.told()
        assert await client.ask(do="cut", after_seconds=1) == {"do": "cut", "after_seconds": 1}
        await asyncio.sleep(60)
        assert told == []
        client.writer.close()


@pytest.mark.fast_time
async def test_a_battery_whose_output_is_cut_keeps_its_charge(tmp_path: Path) -> None:
    async with SimulatedUps(tmp_path / "power.sock") as ups:
        ups.set_battery(Battery(40.0))
        ups.set_mains(on=False)
        client = await client_of(ups)
        await client.told()
        await client.ask(do="cut", after_seconds=0)
        await asyncio.sleep(3600)
        assert ups.state()["battery_percent"] == 40.0
        client.writer.close()


@pytest.mark.fast_time
async def test_a_silent_one_answers_nothing(tmp_path: Path) -> None:
    async with SimulatedUps(tmp_path / "power.sock") as ups:
        client = await client_of(ups)
        await client.told()
        ups.silent = True
        ups.set_mains(on=False)
        client.writer.write(b'{"do": "state"}\n')
        with pytest.raises(TimeoutError):
            await client.told()
        ups.silent = False
        assert (await client.ask(do="state"))["mains"] is False
        client.writer.close()


@pytest.mark.fast_time
async def test_mains_flaps_as_often_as_told(tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    async with SimulatedUps(tmp_path / "power.sock") as ups:
        client = await client_of(ups)
        await client.told()
        ups.flap(0.003, times=3)
        heard = [await client.told() for _ in range(6)]
        assert [state["mains"] for state in heard] == [False, True] * 3
        assert loop.time() == pytest.approx(0.015)
        client.writer.close()


@pytest.mark.fast_time
async def test_mains_that_is_set_ends_a_flap(tmp_path: Path) -> None:
    async with SimulatedUps(tmp_path / "power.sock") as ups:
        ups.flap(1.0, times=100)
        await asyncio.sleep(3.5)
        ups.set_mains(on=False)
        await asyncio.sleep(60)
        assert not ups.mains


@pytest.mark.fast_time
async def test_an_old_battery_and_contacts_are_told(tmp_path: Path) -> None:
    async with SimulatedUps(tmp_path / "power.sock") as ups:
        ups.set_replace_battery(replace=True)
        ups.set_contact("door", active=True)
        client = await client_of(ups)
        state = await client.told()
        assert state["replace_battery"] is True
        assert state["contacts"] == {"door": True}
        client.writer.close()


@given(st.text(max_size=80) | st.sampled_from(['{"do": "cut"}', '{"do": "cut", "after_seconds": -1}', "[]", "1e999"]))
def test_nothing_that_a_client_says_cuts_by_mistake(text: str) -> None:
    @fast
    async def say() -> None:
        ups = SimulatedUps(Path("/nowhere"))
        answer = ups._take(text)
        assert answer is not None
        await asyncio.sleep(100_000)
        assert ups.output

    say()


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(-1e4, 1e4)), max_size=20))
def test_a_battery_is_never_fuller_than_full_nor_emptier_than_empty(flows: list[tuple[float, float]]) -> None:
    battery = Battery(50.0)
    for seconds, watts in flows:
        battery.pass_time(seconds, watts)
        assert 0.0 <= battery.percent <= 100.0
        assert battery.runtime_seconds >= 0
