"""Several services in one process: order, readiness, signals, and a pulse that must not die unnoticed."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest

from firmware.services import run
from firmware.services.notify import Notifier
from firmware.services.service import Probe
from firmware.settings import Settings, parse_settings

LOG: list[str] = []


@dataclass
class Recorded:
    """A service that writes down what becomes of it."""

    name: str
    probed: list[Probe] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        LOG.append(f"start {self.name}")
        return self

    async def __aexit__(self, *_: object) -> None:
        LOG.append(f"stop {self.name}")

    async def ready(self) -> None:
        pass

    def probes(self) -> Sequence[Probe]:
        return self.probed

    def sentence(self) -> str:
        return f"{self.name} is well"


@dataclass
class Told(Notifier):
    """What the manager hears."""

    def __init__(self) -> None:
        super().__init__({})
        self.feed_every_seconds = 1.0

    def _send(self, assignment: str) -> None:
        LOG.append(assignment)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    LOG.clear()
    monkeypatch.setattr(run, "_service", lambda name, _settings: Recorded(name))
    monkeypatch.setattr(run, "SERVICES", ("calls", "power", "sync", "office"))
    text = f"data_dir: {tmp_path}/data\nrun_dir: {tmp_path}/run\nlines: [{{name: a, port: /dev/none}}]\n"
    return parse_settings("linekeeper.yaml", text)


async def ended_by_signal(settings: Settings, names: Sequence[str]) -> None:
    ready = asyncio.Event()
    task = asyncio.create_task(run.run_services(settings, ready.set, names, Told()))
    await ready.wait()
    while "WATCHDOG=1" not in LOG:
        await asyncio.sleep(0)
    os.kill(os.getpid(), signal.SIGTERM)
    await task


async def test_services_start_in_order_and_stop_in_reverse(settings: Settings) -> None:
    await ended_by_signal(settings, ["office", "calls", "power"])
    starts = [word for word in LOG if word.startswith(("start", "stop", "READY", "STOPPING"))]
    assert starts == [
        "start calls", "start power", "start office", "READY=1",
        "STOPPING=1", "stop office", "stop power", "stop calls",
    ]  # fmt: skip
    assert "STATUS=calls is well; power is well; office is well" in LOG


async def test_process_whose_pulse_dies_ends_with_its_error(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> None:
        raise ZeroDivisionError

    def make(name: str, _settings: Settings) -> Any:
        return Recorded(name, [Probe("x", broken, 1.0)])

    monkeypatch.setattr(run, "_service", make)
    with pytest.raises(ExceptionGroup):
        await run.run_services(settings, lambda: None, ["calls"], Told())
    assert LOG[-1] == "stop calls"


def test_every_service_of_this_version_can_be_imported() -> None:
    assert set(run.SERVICES) >= {"calls", "sync", "office"}
