"""The last copy of a recording is let go of by nobody, whatever was switched off and on in between."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collector.identity.enrolment import make_claim
from collector.service import Collector, Options, running
from firmware.clock import SystemClock
from firmware.storage.erasure import erase_caller
from tests.sync.appliances import Appliance, appliance, appliance_settings, contents, stored


class LaterClock(SystemClock):
    """By which every call has settled."""

    def now(self) -> datetime:
        return super().now() + timedelta(hours=1)


@pytest.fixture
async def collector(database_url: str, tmp_path: Path) -> AsyncIterator[Collector]:
    async with running(Options(database_url, str(tmp_path / "blobs"), "127.0.0.1:0"), SystemClock()) as made:
        yield made


@pytest.fixture
async def made(collector: Collector, tmp_path: Path) -> AsyncIterator[Appliance]:
    code = await make_claim(collector.database, "front desk", "Acme", datetime.now(UTC), timedelta(days=1))
    settings = appliance_settings(tmp_path, f"http://127.0.0.1:{collector.address[1]}", claim=code)
    async with appliance(settings) as ready:
        yield ready


async def switch_off_and_on(made: Appliance) -> None:
    await made.outbox.use_routes([])
    await made.outbox.use_routes([made.delivery.route])


async def test_audio_that_was_released_here_stays_there_when_everything_is_delivered_again(
    collector: Collector, made: Appliance, tmp_path: Path
) -> None:
    await made.leave_message("13800138000", os.urandom(9000))
    await made.deliver_all()
    assert await made.store.release_audio(None, 10) == 1
    assert not contents(tmp_path / "data" / "recordings")
    await switch_off_and_on(made)
    await made.deliver_all()
    [recording] = [row for row in await stored(collector) if row["kind"] == "recording"]
    assert recording["sha256"] in contents(tmp_path / "blobs")
    assert recording["body"]["audio"] == "released"


async def test_who_was_erased_while_delivery_was_off_is_erased_there_when_it_is_on_again(
    collector: Collector, made: Appliance
) -> None:
    await made.leave_message("13800138000", os.urandom(9000))
    await made.deliver_all()
    await made.outbox.use_routes([])
    erase_caller(made.settings.data_dir, "13800138000", LaterClock(), "CN")
    await made.outbox.use_routes([made.delivery.route])
    await made.deliver_all()
    rows = await stored(collector)
    assert [row["body"] for row in rows if row["kind"] in {"message", "recording"}] == [None, None]
    assert "13800138000" not in str(rows)
