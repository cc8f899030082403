"""How a collector is while it works: processor time, memory, and whether it answers a balancer's question."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fleet.wire import Wire
from benchmarks.program import Program

_EVERY_SECONDS = 0.5
_ANSWER_SECONDS = 5.0
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
# proc_pid_stat(5): utime and stime, counted from behind the name in parentheses.
_UTIME, _STIME = 11, 12


@dataclass
class Vitals:
    """Of one round. `most_megabytes` is resident memory, shared pages included."""

    cpu_percent: float = 0.0
    most_megabytes: float = 0.0
    asked: int = 0
    healthy: int = 0
    slowest_ms: float = 0.0


class Watch:
    """Looks at one process."""

    def __init__(self, program: Program, port: int) -> None:
        self._program = program
        self._port = port

    @asynccontextmanager
    async def over(self) -> AsyncIterator[Vitals]:
        """The figures are complete when the block is left."""
        vitals = Vitals()
        began, cpu = time.perf_counter(), self._cpu_seconds()
        task = asyncio.create_task(self._look(vitals))
        try:
            yield vitals
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        vitals.cpu_percent = 100 * (self._cpu_seconds() - cpu) / (time.perf_counter() - began)

    async def _look(self, vitals: Vitals) -> None:
        while True:
            vitals.most_megabytes = max(vitals.most_megabytes, self._megabytes())
            vitals.asked += 1
            began = time.perf_counter()
            with suppress(OSError, EOFError):
                # A new connection each time, as a balancer makes one.
                async with asyncio.timeout(_ANSWER_SECONDS), Wire("127.0.0.1", self._port) as wire:
                    reply = await wire.request("GET", "/healthz", {})
                vitals.healthy += reply.status == 200
                vitals.slowest_ms = max(vitals.slowest_ms, 1000 * (time.perf_counter() - began))
            await asyncio.sleep(_EVERY_SECONDS)

    def _cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self._program.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[_UTIME]) + int(fields[_STIME])) / _TICKS_PER_SECOND

    def _megabytes(self) -> float:
        for line in Path(f"/proc/{self._program.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        return 0.0
