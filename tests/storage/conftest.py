"""A store on a temporary disk, and the small things that every storage test needs."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from firmware.events import RecordingEnd
from firmware.pcm import SampleFormat
from firmware.ports import CallStore, StoredTake, Take
from firmware.storage.queries import Records
from firmware.storage.store import Store

CHUNK_BYTES = 160


class StepClock:
    """A clock that goes on by a second whenever it is read."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
        self.right = True

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def now(self) -> datetime:
        self.moment += timedelta(seconds=1)
        return self.moment

    def trusted(self) -> bool:
        return self.right


@pytest.fixture
def clock() -> StepClock:
    return StepClock()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def make_store(data_dir: Path, clock: StepClock) -> Callable[..., Store]:
    def make(**options: Any) -> Store:
        return Store(data_dir, clock, **{"keep_free_megabytes": 0, **options})

    return make


@pytest.fixture
async def store(make_store: Callable[..., Store]) -> AsyncIterator[Store]:
    opened = make_store()
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def records(data_dir: Path) -> Callable[[], Records]:
    return lambda: Records(data_dir, ZoneInfo("Asia/Shanghai"))


@pytest.fixture
def spoken() -> Callable[..., bytes]:
    """Bytes without any period, so that a shift or a loss shows."""

    def make(count: int, seed: int = 1) -> bytes:
        return hashlib.shake_128(str(seed).encode()).digest(count)

    return make


@pytest.fixture
def leave() -> Callable[..., Any]:
    """Record into any CallStore and finish, as a line does."""

    async def record(
        store: CallStore,
        call_id: str,
        data: bytes,
        sample_format: SampleFormat = SampleFormat.U8,
        purpose: str = "message",
        kept: int | None = None,
    ) -> StoredTake:
        recording = await store.start_recording(call_id, sample_format, purpose)
        for at in range(0, len(data), CHUNK_BYTES):
            recording.write(data[at : at + CHUNK_BYTES])
        total = len(data) // sample_format.sample_bytes
        return await recording.finish(Take(RecordingEnd.KEY, total, total if kept is None else kept, voiced=True))

    return record
