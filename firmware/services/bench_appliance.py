"""A whole appliance on the simulated bench, in one process: for the demonstration and the terminal phone."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import firmware
from firmware.errors import ServiceError
from firmware.services.calls import CallsService
from firmware.services.control import someone_answers
from firmware.services.power import PowerService
from firmware.services.sync import SyncService
from firmware.settings import Settings, parse_settings
from firmware.simulation.bench import Bench

_LINES = 2
_PROFILE = "conexant"
SPEECH_FOLDER = Path(firmware.__file__).parent / "simulation" / "speech"


@dataclass(frozen=True, slots=True)
class BenchAppliance:
    """What runs: the bench, the services that answer its lines and watch its UPS, and where they keep their files."""

    bench: Bench
    service: CallsService
    power: PowerService
    sync: SyncService
    settings: Settings
    config: Path


def demo_folder() -> Path:
    """Where a demonstration of this user keeps its files; the terminal phone looks for it here."""
    return Path(tempfile.gettempdir()) / f"linekeeper-demo-{os.getuid()}"


@asynccontextmanager
async def bench_appliance(folder: Path, power_settings: str = "", sections: str = "") -> AsyncIterator[BenchAppliance]:
    """An appliance with two lines on ptys and no records yet, ready to ring. Its relays and lamps are mock pins.

    `power_settings` are more lines of the section `power`, `sections` are others. Raises: ServiceError where one runs
    in this folder already.
    """
    # gpiozero's word for pins that exist in memory only.
    os.environ.setdefault("GPIOZERO_PIN_FACTORY", "mock")
    make_private(folder)
    _begin_anew(folder)
    async with Bench(_LINES, _PROFILE, "CN", wire="pty", directory=folder) as bench:
        config = folder / "linekeeper.yaml"
        config.write_text(_configuration(folder, bench) + power_settings + sections, encoding="utf-8")
        settings = parse_settings(str(config), config.read_text(encoding="utf-8"))
        calls, sync, power = CallsService(settings), SyncService(settings), PowerService(settings)
        async with calls, sync, power:
            await calls.ready()
            await power.ready()
            yield BenchAppliance(bench, calls, power, sync, settings, config)


def make_private(folder: Path) -> None:
    """The folder lies where everybody may write: it must be ours, and nobody else's. Raises: ServiceError."""
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise ServiceError(f"{folder} belongs to somebody else or is open to others; remove it and try again")


def _begin_anew(folder: Path) -> None:
    """Remove what an earlier demonstration left, unless it still runs. Raises: ServiceError."""
    if someone_answers(folder / "run" / "calls.sock"):
        raise ServiceError("a demonstration runs already; call it with `linekeeper phone`, or end it with Ctrl-C there")
    shutil.rmtree(folder / "data", ignore_errors=True)


def _configuration(folder: Path, bench: Bench) -> str:
    lines = "".join(f"  - {{name: {line.name}, port: {line.tty}}}\n" for line in bench.lines)
    assert bench.power is not None
    return (
        f"data_dir: {folder}/data\nrun_dir: {folder}/run\ncountry: CN\nlanguages: [zh, en]\nlines:\n{lines}"
        f"power:\n  profile: bench\n  socket: {bench.power.path}\n"
    )
