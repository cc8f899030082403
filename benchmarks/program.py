"""Programs under test, each a process that can be killed and started again."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

_READY_SECONDS = 60.0


class Program:
    """A program that says `ready` on a line of its own. Inside the context it runs, or was killed."""

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self._command = command
        self._log = log
        self._environment = {**os.environ, **(environment or {})}
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.kill()

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        assert self._process is not None
        return self._process.pid

    @property
    def runs(self) -> bool:
        """False once it has ended by itself, or was killed."""
        return self._process is not None and self._process.returncode is None

    @property
    def said(self) -> str:
        """The end of what it wrote on standard error."""
        return self._log.read_text(errors="replace")[-3000:]

    async def start(self) -> None:
        """Start it, and wait until it says that it is ready. Raises: RuntimeError where it does not."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdout=asyncio.subprocess.PIPE, stderr=log, env=self._environment
            )
        assert self._process.stdout is not None
        deadline = time.monotonic() + _READY_SECONDS
        line = b"-"
        while line and line != b"ready\n":
            async with asyncio.timeout(max(0.1, deadline - time.monotonic())):
                line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._command} did not start: {self.said}")

    async def kill(self) -> None:
        """`kill -9`. Nothing happens where it does not run."""
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
