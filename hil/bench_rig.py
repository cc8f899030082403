"""The bench as a rig: simulated lines on real ptys in this process, and the appliance in a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from firmware import wav
from firmware.errors import LinekeeperError
from firmware.pcm import decode_to_s16
from firmware.simulation.bench import Bench
from firmware.simulation.call import Call
from firmware.simulation.line_options import AfterHangUp

_READY_SECONDS = 30.0
_STOP_SECONDS = 30.0
_COMMAND_SECONDS = 30.0
# Times of the flow, short, so that a silent caller does not take minutes. Everything else is the product's default.
_CALLS = "{no_input_seconds: 1.2, silence_ends_message_seconds: 1.5}"


class ApplianceFailed(LinekeeperError):
    """The appliance, or a command of it, ended badly; the message holds what it said last."""


class Appliance:
    """`linekeeper run` as a process, with its configuration and data below `directory`."""

    def __init__(self, directory: Path, ports: dict[str, Path]) -> None:
        self._directory = directory
        self._config = directory / "linekeeper.yaml"
        self._journal = directory / "journal.txt"
        self._process: asyncio.subprocess.Process | None = None
        lines = "".join(f"  - {{name: {name}, port: {port}}}\n" for name, port in ports.items())
        self._config.write_text(
            f"data_dir: {directory / 'data'}\nrun_dir: {directory / 'run'}\n"
            f"country: CN\ncalls: {_CALLS}\nlines:\n{lines}",
            encoding="utf-8",
        )

    async def start(self) -> None:
        """Start it, and wait until lines can ring. Raises: ApplianceFailed."""
        with self._journal.open("ab") as journal:
            self._process = await asyncio.create_subprocess_exec(
                *self._command("run"), stdout=asyncio.subprocess.PIPE, stderr=journal
            )
        try:
            async with asyncio.timeout(_READY_SECONDS):
                await self._until_ready(self._process)
        except TimeoutError as error:
            raise ApplianceFailed(
                f"the appliance is not ready after {_READY_SECONDS:g} s\n{self._last_words()}"
            ) from error

    async def kill(self) -> None:
        """SIGKILL: what a process sees of a power cut is nothing."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> None:
        """End it in good form, where it runs. Raises: ApplianceFailed when it does not end, or ends badly."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                status = await self._process.wait()
        except TimeoutError:
            await self.kill()
            raise ApplianceFailed(
                f"the appliance ignored SIGTERM for {_STOP_SECONDS:g} s\n{self._last_words()}"
            ) from None
        if status:
            raise ApplianceFailed(f"the appliance ended with status {status}\n{self._last_words()}")

    async def command(self, *arguments: str) -> str:
        """What a command of the CLI prints. Raises: ApplianceFailed."""
        process = await asyncio.create_subprocess_exec(
            *self._command(*arguments), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(_COMMAND_SECONDS):
            output, errors = await process.communicate()
        if process.returncode:
            raise ApplianceFailed(f"linekeeper {' '.join(arguments)}: {errors.decode(errors='replace').strip()}")
        return output.decode()

    async def _until_ready(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            if line.strip() == b"ready":
                return
        raise ApplianceFailed(f"the appliance ended before it was ready\n{self._last_words()}")

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "firmware.cli", "--config", str(self._config), *arguments]

    def _last_words(self) -> str:
        return self._journal.read_text(encoding="utf-8", errors="replace")[-2000:]


class BenchRig:
    """`rig.Rig` on the bench. An asynchronous context manager: inside it, the appliance runs."""

    sample_exact = True
    line_names = ("line1", "line2")

    def __init__(self, directory: Path, profile: str = "conexant") -> None:
        self.lines: Sequence[str] = self.line_names
        self._directory = directory
        self._bench = Bench(len(self.lines), profile, wire="pty", directory=directory)
        # Lines differ in how they tell of a hang-up: most by busy tone alone, some by a break of the loop current.
        self._bench.lines[-1].card.set_options(after_hang_up=AfterHangUp.LOOP_BREAK)
        self._appliance = Appliance(directory, {line.name: directory / line.name for line in self._bench.lines})
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            await opening.enter_async_context(self._bench)
            opening.push_async_callback(self._appliance.stop)
            await self._appliance.start()
            self._opened = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._opened.__aexit__(kind, error, trace)

    async def ring(self, line: str, number: str | None = None) -> Call:
        """Call a line; see `Rig`."""
        return await self._bench.caller(number).dial(line)

    async def cut_power(self) -> None:
        """Process and modems lose their supply in the same instant, and the lines drop."""
        killed = asyncio.create_task(self._appliance.kill())
        for line in self._bench.lines:
            line.unplug()
        await killed

    async def restore_power(self) -> None:
        """Plug everything in, and wait until lines can ring."""
        for line in self._bench.lines:
            line.replug()
        await self._appliance.start()

    async def unplug_modem(self, line: str) -> None:
        """Close the modem's pty; see `Rig`."""
        self._bench.line(line).unplug()

    async def replug_modem(self, line: str) -> None:
        """Open another pty under the same name."""
        self._bench.line(line).replug()

    async def records(self, kind: str) -> list[dict[str, Any]]:
        """What the CLI lists; see `Rig`."""
        listed: list[dict[str, Any]] = json.loads(await self._appliance.command(kind, "list", "--json"))
        return listed

    async def message_samples(self, message_id: str) -> bytes:
        """An exported message; see `Rig`."""
        file = self._directory / f"export-{message_id}.wav"
        await self._appliance.command("messages", "export", message_id, str(file))
        parsed = wav.parse(file.read_bytes())
        return decode_to_s16(parsed.data, parsed.sample_format)
