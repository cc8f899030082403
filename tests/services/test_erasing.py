"""The action `erase`: what it does is in tests/storage/test_erasure.py; here, what it is asked and answers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from firmware.clock import SystemClock
from firmware.errors import ServiceError, StorageError
from firmware.events import CallEnd, CallerId, RecordingEnd
from firmware.pcm import SampleFormat
from firmware.ports import Take
from firmware.services.erasing import Erasing
from firmware.settings import Settings, parse_settings
from firmware.storage.queries import Records
from firmware.storage.store import Store

NUMBER = "13800138000"


class Later(SystemClock):
    """When every call has settled."""

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(hours=1)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return parse_settings("test", f"data_dir: {tmp_path}/data\nrun_dir: {tmp_path}\nlines: [{{name: a, port: auto}}]\n")


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[Store]:
    opened = Store(settings.data_dir, SystemClock(), keep_free_megabytes=0)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def erasing(settings: Settings) -> Erasing:
    return Erasing(settings, Later())


async def leave_message(store: Store) -> str:
    call = await store.call_offered("front", CallerId(NUMBER))
    recording = await store.start_recording(call, SampleFormat.U8)
    kept = await store.keep_message(call, await recording.finish(Take(RecordingEnd.KEY, 0, 0, voiced=True)), "zh")
    await store.call_ended(call, CallEnd.COMPLETED, None, "zh", ["message"])
    return kept.message_id


async def test_a_caller_is_erased_beside_the_store_with_a_receipt_that_tells_of_nobody(
    store: Store, erasing: Erasing, settings: Settings
) -> None:
    message_id = await leave_message(store)
    receipt = await erasing.erase({"number": "+86 138 0013 8000"})
    assert receipt["erased"] == {
        "messages": 1,
        "recordings": 1,
        "callbacks": 0,
        "calls": 1,
        "languages": 0,
        "shared": 0,
    }
    told = json.dumps(receipt)
    assert NUMBER not in told
    assert message_id not in told
    with Records(settings.data_dir, ZoneInfo("UTC")) as records:
        assert records.messages() == []
    erasing.close()


async def test_a_message_that_is_erased_twice_is_erased_once(store: Store, erasing: Erasing) -> None:
    message_id = await leave_message(store)
    first = await erasing.erase({"message": message_id})
    again = await erasing.erase({"message": message_id})
    assert (first["erased"]["messages"], again["erased"]["messages"], again["receipt"]) == (1, 0, None)
    erasing.close()


async def test_a_call_that_goes_on_is_told(store: Store, erasing: Erasing) -> None:
    await store.call_offered("front", CallerId(NUMBER))
    with pytest.raises(StorageError, match="is going on"):
        await erasing.erase({"number": NUMBER})
    erasing.close()


@pytest.mark.parametrize(
    "request_", [{}, {"number": ""}, {"number": 1}, {"message": "x", "number": "1"}, {"all": True}]
)
async def test_other_requests_erase_nothing(erasing: Erasing, request_: dict[str, object]) -> None:
    with pytest.raises(ServiceError, match="erase takes"):
        await erasing.erase(request_)
    erasing.close()
