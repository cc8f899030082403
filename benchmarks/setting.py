"""A bench on ptys with an appliance at it, and what callers do in measurements."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.appliance import Appliance
from benchmarks.bench_lines import add_line, prompt_profile
from benchmarks.traffic import TrafficLog
from firmware.simulation.bench import BenchLine
from firmware.simulation.call import Call
from firmware.simulation.callers import Caller
from firmware.simulation.exchange import Exchange
from firmware.simulation.exchange_events import ExchangeEvent, Happening
from firmware.simulation.modem.profile import ModemProfile

# The line is on hook and its modem idle; the appliance then waits for a ring within this.
_SETTLED_SECONDS = 1.0


class Hooks:
    """Watches who goes on hook."""

    def __init__(self, exchange: Exchange) -> None:
        self._waiting: dict[str, asyncio.Event] = {}
        exchange.watch(self._seen)

    async def on_hook(self, line: BenchLine) -> None:
        """Wait until a line is on hook."""
        event = self._waiting[line.name] = asyncio.Event()
        if line.modem.off_hook:
            await event.wait()

    def _seen(self, event: ExchangeEvent) -> None:
        if event.happening is Happening.ON_HOOK and event.line in self._waiting:
            self._waiting[event.line].set()


@dataclass(frozen=True, slots=True)
class Setting:
    """Everything a measurement needs."""

    folder: Path
    exchange: Exchange
    lines: list[BenchLine]
    logs: list[TrafficLog]
    hooks: Hooks

    async def call(self, line: BenchLine, number: str = "13800138000", name: str | None = "WANG") -> Call:
        """Ring a line and wait for the answer. Nothing that the caller hears is kept."""
        call = await Caller(self.exchange, number, name).dial(line.card, keep_heard=False)
        await call.answered()
        return call

    async def end(self, call: Call, line: BenchLine) -> None:
        """Hang up, and wait until the line can ring again."""
        call.hang_up()
        await self.hooks.on_hook(line)
        await asyncio.sleep(_SETTLED_SECONDS)

    def appliance(self, more: str = "") -> Appliance:
        return Appliance(self.folder, self.lines, more)

    def underruns(self) -> int:
        return sum(line.modem.underruns for line in self.lines)

    def overruns(self) -> int:
        return sum(line.modem.overruns for line in self.lines)


@asynccontextmanager
async def bench(lines: int, profile: ModemProfile | None = None, *, watched: bool = True) -> AsyncIterator[Setting]:
    """So many lines on ptys, plugged in. `watched` keeps all traffic."""
    with tempfile.TemporaryDirectory(prefix="linekeeper-bench-") as name:
        folder = Path(name)
        exchange = Exchange("CN")
        logs = [TrafficLog() for _ in range(lines)]
        built = [
            add_line(exchange, profile or prompt_profile(), folder, traffic=log if watched else None) for log in logs
        ]
        for line in built:
            line.replug()
        try:
            yield Setting(folder, exchange, built, logs, Hooks(exchange))
        finally:
            for line in built:
                line.unplug()
