"""The small backups of the database: made beside the records, and anew where an erasure removed them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from firmware.clock import SystemClock
from firmware.errors import DiskFull
from firmware.events import CallEnd, CallerId
from firmware.ports import CallbackRequest
from firmware.services.store_opening import StoreOpening
from firmware.storage.erasure import erase_caller
from firmware.storage.store import Store

pytestmark = pytest.mark.fast_time


class LaterClock(SystemClock):
    """When every call has settled."""

    def now(self) -> datetime:
        return super().now() + timedelta(hours=1)


def names(data_dir: Path) -> list[str]:
    return sorted(file.name for file in (data_dir / "snapshots").glob("*.backup"))


async def test_after_an_erasure_there_is_a_new_one_at_once_and_nobody_in_it(tmp_path: Path) -> None:
    store = Store(tmp_path, SystemClock(), keep_free_megabytes=0)
    opening = StoreOpening(store, lambda: datetime(2026, 3, 1, 8, 0, tzinfo=UTC))
    await opening.begin()
    call = await store.call_offered("front", CallerId("13800138000"))
    await store.keep_callback(call, CallbackRequest("13800138000", "morning"), "zh")
    await store.call_ended(call, CallEnd.COMPLETED, None, "zh", ["callback"])
    await asyncio.sleep(16 * 60)
    assert names(tmp_path) == ["linekeeper-20260301-080000.backup"]
    erase_caller(tmp_path, "13800138000", LaterClock(), "CN")
    assert names(tmp_path) == []
    await asyncio.sleep(60)
    assert names(tmp_path) == ["linekeeper-20260301-080000.backup"]
    content = (tmp_path / "snapshots" / "linekeeper-20260301-080000.backup").read_bytes()
    assert b"13800138000" not in content
    await asyncio.sleep(3600)
    assert len(names(tmp_path)) == 1
    await opening.stop()


async def test_one_that_failed_is_tried_again_within_hours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path, SystemClock(), keep_free_megabytes=0)
    opening = StoreOpening(store, lambda: datetime(2026, 3, 1, 8, 0, tzinfo=UTC))
    await opening.begin()

    async def refused(_: str) -> None:
        raise DiskFull("the disk is full; free some space")

    with monkeypatch.context() as patch:
        patch.setattr(store, "keep_snapshot", refused)
        await asyncio.sleep(3600)
    assert not (tmp_path / "snapshots").exists()
    await asyncio.sleep(2 * 3600)
    assert len(names(tmp_path)) == 1
    await opening.stop()
