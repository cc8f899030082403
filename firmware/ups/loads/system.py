"""What loads need of the operating system: sysfs, devices, and programs. Tests give others."""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from firmware.errors import LoadError

# systemctl stop waits for the unit; ours end within 15 s, others may take longer than anybody should wait.
_LONGEST_RUN_SECONDS = 30.0
_MOST_WORDS = 200


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended, and all it said."""

    status: int
    output: str

    @property
    def words(self) -> str:
        """What it said, in one line."""
        return " ".join(self.output.split())[-_MOST_WORDS:]


async def run_command(*command: str) -> Finished:
    """Run a program to its end. Raises: LoadError where it is missing or does not end."""
    try:
        process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT)
    except OSError as error:
        raise LoadError(f"{command[0]} cannot be run ({error.strerror or error}); is it installed?") from error
    try:
        async with asyncio.timeout(_LONGEST_RUN_SECONDS):
            output, _ = await process.communicate()
    except TimeoutError as error:
        raise LoadError(f"{' '.join(command)} did not end within {_LONGEST_RUN_SECONDS:g} s") from error
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    assert process.returncode is not None
    return Finished(process.returncode, output.decode("utf-8", "replace"))


@dataclass(frozen=True, slots=True)
class System:
    """The machine, or what a test puts in its place."""

    sys: Path = Path("/sys")
    dev: Path = Path("/dev")
    run: Callable[..., Awaitable[Finished]] = run_command


async def read_word(file: Path) -> str | None:
    """What a small file of sysfs says; None where it cannot be read just now."""

    def read() -> str | None:
        try:
            return file.read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return None

    return await asyncio.to_thread(read)


async def write_bytes(file: Path, content: bytes, load: str) -> None:
    """Write to a file of sysfs or a device. Raises: LoadError."""

    def write() -> None:
        opened = os.open(file, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(opened, content)
        finally:
            os.close(opened)

    try:
        await asyncio.to_thread(write)
    except OSError as error:
        raise LoadError(
            f"load {load}: {file} cannot be written ({error.strerror or error}); let the service power write to it"
        ) from error
