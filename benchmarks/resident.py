"""P7: the memory of the four services, each a process of its own as under systemd; IDLE: what they cost while idle."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from benchmarks.appliance import ServiceProcess
from benchmarks.bench_lines import configuration
from benchmarks.figure import Figure
from benchmarks.memory import pss_megabytes
from benchmarks.setting import Setting, bench
from firmware.simulation.ups import SimulatedUps

SERVICES = ("calls", "power", "sync", "office")
_LINES = 4
_CALLS_MEGABYTES = 70.0
_ALL_MEGABYTES = 220.0
# Everybody hears the greeting then, and the menu's prompts are in memory.
_TALKING_SECONDS = 10.0
_SETTLING_SECONDS = 10.0
_IDLE_SECONDS = 60.0
_IDLE_SHARE = 0.003
_MORE = """\
office: {{listen: "127.0.0.1:{port}"}}
power:
  profile: bench
  socket: {socket}
"""

Processes = Mapping[str, ServiceProcess]


async def measure_memory() -> list[Figure]:
    """Four lines, a call on each."""
    async with bench(_LINES, watched=False) as setting, _services(setting) as processes:
        calls = [await setting.call(line, f"1380013800{at}") for at, line in enumerate(setting.lines)]
        await asyncio.sleep(_TALKING_SECONDS)
        memory = {name: pss_megabytes(process.pid) for name, process in processes.items()}
        await asyncio.gather(*(setting.end(call, line) for call, line in zip(calls, setting.lines, strict=True)))
    total = sum(memory.values())
    each = ", ".join(f"{name} {megabytes:.0f}" for name, megabytes in memory.items())
    return [
        Figure("P7", "memory (PSS) of calls, four calls", f"{memory['calls']:.0f} MB", "<= 70 MB",
               memory["calls"] <= _CALLS_MEGABYTES),
        Figure("P7", "memory (PSS) of all services", f"{total:.0f} MB: {each}", "<= 220 MB", total <= _ALL_MEGABYTES),
    ]  # fmt: skip


async def measure_idle() -> list[Figure]:
    """A minute in which nobody calls and mains is there."""
    async with bench(_LINES, watched=False) as setting, _services(setting) as processes:
        await asyncio.sleep(_SETTLING_SECONDS)
        used = {name: process.cpu_seconds() for name, process in processes.items()}
        await asyncio.sleep(_IDLE_SECONDS)
        shares = {name: (process.cpu_seconds() - used[name]) / _IDLE_SECONDS for name, process in processes.items()}
    others = ", ".join(f"{name} {share:.2%}" for name, share in shares.items() if name != "power")
    told = f"{shares['power']:.2%} of a core ({others})"
    return [Figure("IDLE", "processor time of power, idle", told, "<= 0.3 % of a core", shares["power"] <= _IDLE_SHARE)]


@asynccontextmanager
async def _services(setting: Setting) -> AsyncIterator[Processes]:
    folder = setting.folder
    async with AsyncExitStack() as running:
        ups = await running.enter_async_context(SimulatedUps(folder / "power.sock"))
        config = folder / "linekeeper.yaml"
        ports = {line.name: str(line.tty) for line in setting.lines}
        more = _MORE.format(port=_free_port(), socket=ups.path)
        config.write_text(configuration(folder, ports, more), encoding="utf-8")
        processes = {
            name: await running.enter_async_context(ServiceProcess(config, folder / f"{name}.txt", (name,)))
            for name in SERVICES
        }
        yield processes


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port
