"""Delivery is off, and says so; the pace that the power service sets is kept."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from firmware.errors import ServiceError
from firmware.services.control_client import ControlClient
from firmware.services.sync import SyncService
from firmware.services.sync_commands import sync_status
from firmware.settings import Settings, parse_settings

_NOTHING = {
    "mode": "off",
    "queued": 0,
    "oldest_seconds": None,
    "last_success_at": None,
    "last_error": None,
    "quarantined": 0,
    "audio_queued": 0,
    "progress": None,
    "certificate_ends_at": None,
    "routes": [],
}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    text = f"data_dir: {tmp_path}/data\nrun_dir: {tmp_path}/run\nlines: [{{name: a, port: /dev/none}}]\n"
    (tmp_path / "linekeeper.yaml").write_text(text, encoding="utf-8")
    return parse_settings("linekeeper.yaml", text)


async def test_pace_is_remembered_and_shown(settings: Settings) -> None:
    client = ControlClient(settings.run_dir / "sync.sock")
    async with SyncService(settings) as service:
        await service.ready()
        assert await client.ask("pace", every_seconds=900) == {**_NOTHING, "every_seconds": 900, "running": True}
        assert (await asyncio.to_thread(client.get, "status"))["every_seconds"] == 900
        assert await asyncio.to_thread(sync_status, settings) == {**_NOTHING, "every_seconds": 900, "running": True}
        assert (await client.ask("pace", every_seconds=None))["every_seconds"] is None


@pytest.mark.parametrize("pace", [0, -1, True, "900", [900], 1e9])
async def test_nonsense_is_refused_and_changes_nothing(settings: Settings, pace: object) -> None:
    client = ControlClient(settings.run_dir / "sync.sock")
    async with SyncService(settings) as service:
        await client.ask("pace", every_seconds=60)
        with pytest.raises(ServiceError, match="every_seconds is a number"):
            await client.ask("pace", every_seconds=pace)
        assert (await service.status())["every_seconds"] == 60


def test_command_tells_it_although_nothing_runs(settings: Settings, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "firmware.cli", "--config", str(tmp_path / "linekeeper.yaml"), "sync", "status"]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout) == {**_NOTHING, "every_seconds": None, "running": False}
    assert "delivery is off" in subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
