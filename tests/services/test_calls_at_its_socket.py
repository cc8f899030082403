"""The whole calls service at its control socket, on ptys and in real time: what `power` and a technician do with it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from benchmarks.bench_lines import add_line, configuration, prompt_profile
from firmware.services.calls import CallsService
from firmware.services.control_client import ControlClient
from firmware.services.doctor import examine
from firmware.services.paths import control_socket
from firmware.settings import parse_settings
from firmware.simulation.bench import BenchLine
from firmware.simulation.exchange import Exchange
from firmware.simulation.modem.profile import ModemProfile


def lines_on_ptys(folder: Path, count: int, profile: ModemProfile) -> tuple[list[BenchLine], dict[str, str]]:
    exchange = Exchange("CN")
    lines = [add_line(exchange, profile, folder) for _ in range(count)]
    for line in lines:
        line.replug()
    return lines, {line.name: str(line.tty) for line in lines}


async def until_lines_are(client: ControlClient, states: list[str]) -> None:
    async with asyncio.timeout(30.0):
        while [line["state"] for line in await asyncio.to_thread(client.get, "lines")] != states:
            await asyncio.sleep(0.02)


async def test_power_lets_a_line_rest_and_a_technician_is_told_so(tmp_path: Path) -> None:
    lines, ports = lines_on_ptys(tmp_path, 2, prompt_profile())
    settings = parse_settings("test", configuration(tmp_path, ports))
    async with CallsService(settings) as service:
        await service.ready()
        client = ControlClient(control_socket(settings, "calls"))
        assert await client.ask("rest", line="line2", resting=True) == {"line": "line2", "state": "idle"}
        await until_lines_are(client, ["idle", "resting"])
        lines[1].unplug()
        findings = {finding.subject: finding for finding in await asyncio.to_thread(examine, settings)}
        assert findings["line line2"].good
        assert findings["line line2"].sentence.startswith("resting")
        assert "port of line2" not in findings
        lines[1].replug()
        await client.ask("rest", line="line2", resting=False)
        await until_lines_are(client, ["idle", "idle"])
        assert (await client.ask("speech", on=False)) == {"on": False}
        await client.ask("low_battery", on=True)
        await until_quiet(client)
        status = await asyncio.to_thread(client.get, "status")
        assert (status["resting"], status["speech"], status["store"]) == (1, False, "good")
    for line in lines:
        line.unplug()


async def until_quiet(client: ControlClient) -> None:
    status: dict[str, Any] = {"quiet": False}
    async with asyncio.timeout(30.0):
        while not status["quiet"]:
            status = await asyncio.to_thread(client.get, "status")
