"""The appliance as a process of its own, so that its CPU time is measured apart from the bench's."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.bench_lines import configuration
from firmware.simulation.bench import BenchLine

COMMAND = Path(sys.executable).with_name("linekeeper")
_READY_SECONDS = 60.0
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
# proc_pid_stat(5): utime and stime, counted from behind the name in parentheses.
_UTIME, _STIME = 11, 12


class ServiceProcess:
    """`linekeeper run` with some services, or all. Inside the context it has said that it is ready."""

    def __init__(self, config: Path, journal: Path, services: Sequence[str] = ()) -> None:
        self._config = config
        self._services = services
        self._process: asyncio.subprocess.Process | None = None
        self.journal = journal
        self.ready_seconds = 0.0

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def status(self) -> int | None:
        """How it ended; None while it runs."""
        assert self._process is not None
        return self._process.returncode

    async def __aenter__(self) -> Self:
        began = time.perf_counter()
        command = [str(COMMAND), "--config", str(self._config), "run", *self._services]
        # gpiozero's word for pins that exist in memory only.
        environment = os.environ | {"GPIOZERO_PIN_FACTORY": "mock"}
        with self.journal.open("ab") as journal:
            self._process = await asyncio.create_subprocess_exec(
                *command, stdout=asyncio.subprocess.PIPE, stderr=journal, env=environment
            )
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(_READY_SECONDS):
                while (line := await self._process.stdout.readline()) != b"ready\n":
                    if not line:
                        raise RuntimeError(f"the appliance did not start: {self.journal.read_text()[-2000:]}")
        except BaseException:
            await self.kill()
            raise
        self.ready_seconds = time.perf_counter() - began
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.wait()

    async def ended(self) -> int:
        """Wait for its end; how it ended."""
        assert self._process is not None
        return await self._process.wait()

    async def kill(self) -> None:
        """`kill -9`."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    def cpu_seconds(self) -> float:
        """Processor time that it has used so far, all threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[_UTIME]) + int(fields[_STIME])) / _TICKS_PER_SECOND


class Appliance(ServiceProcess):
    """The calls service with its data below `folder`; inside the context its lines can ring."""

    def __init__(self, folder: Path, lines: list[BenchLine], more: str = "") -> None:
        self.config = folder / "linekeeper.yaml"
        text = configuration(folder, {line.name: str(line.tty) for line in lines}, more)
        self.config.write_text(text, encoding="utf-8")
        super().__init__(self.config, folder / "journal.txt", ("calls",))
