"""`--rig FILE` chooses the rig; the fixture `rig` is an appliance that runs on it, fresh for every scenario."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import pytest_asyncio

from firmware.errors import ConfigurationError
from hil.bench_rig import BenchRig
from hil.hardware_rig import HardwareRig
from hil.rig import Rig, RigAbsent
from hil.rig_file import RigFile, read_rig_file
from hil.rig_lock import rig_lock

RIG_FILE = pytest.StashKey[RigFile]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rig", type=Path, help="a rig's YAML file (see hil/rig.example.yaml); the bench without it")


def pytest_configure(config: pytest.Config) -> None:
    path: Path | None = config.getoption("rig", None)
    if path is None:
        return
    if config.getoption("numprocesses", None):
        raise pytest.UsageError("hardware takes one scenario at a time: leave -n out")
    try:
        config.stash[RIG_FILE] = read_rig_file(path)
    except ConfigurationError as error:
        raise pytest.UsageError(str(error)) from error


@pytest.fixture(scope="session")
def hardware(request: pytest.FixtureRequest) -> Iterator[RigFile | None]:
    """The rig file, with its hardware reserved for this run; None for the bench."""
    rig_file = request.config.stash.get(RIG_FILE, None)
    if rig_file is None:
        yield None
        return
    try:
        with rig_lock(rig_file.path):
            yield rig_file
    except RigAbsent as absent:
        pytest.skip(str(absent))


@pytest_asyncio.fixture
async def rig(hardware: RigFile | None, tmp_path: Path) -> AsyncIterator[Rig]:
    started: AbstractAsyncContextManager[Rig] = BenchRig(tmp_path) if hardware is None else HardwareRig(hardware)
    try:
        running = await started.__aenter__()
    except RigAbsent as absent:
        pytest.skip(str(absent))
    try:
        yield running
    finally:
        await started.__aexit__(None, None, None)
