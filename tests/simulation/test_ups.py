from __future__ import annotations

import asyncio
import json
from pathlib import Path

from firmware.simulation.json_lines import JsonLinesServer
from firmware.simulation.ups import SimulatedUps


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
