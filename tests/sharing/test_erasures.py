"""A caller who is erased at one end is nowhere at either end, and the receipts tell of nobody."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks.postgres import _newest
from collector.blobs.housekeeping import RecordingShelf
from collector.records.blob_rows import sweep
from collector.service import Collector
from collector.sharing.erasing import erase_everywhere
from collector.sharing.orders import list_erasures
from firmware.events import CallEnd, CallerId, RecordingEnd
from firmware.pcm import SampleFormat
from firmware.ports import CallbackRequest, Take
from firmware.services.control import ControlServer
from firmware.services.erasing import Erasing
from firmware.services.event_hub import EventHub
from firmware.storage.erasure import erase_caller
from firmware.storage.store import Store
from tests.collector.copies import Copies
from tests.sharing.appliances import CLOCK, Appliance

GONE, STAYS = "13800138000", "02187654321"
NAMES = {GONE: "Wang Xiaoming", STAYS: "Zhao Min"}
VOICE = {GONE: bytes(range(1, 200)) * 50, STAYS: bytes(range(200, 0, -1)) * 50}


async def call(appliance: Appliance, number: str) -> None:
    """Somebody calls, leaves a message, asks to be called back, and is known to the office."""
    store = Store(appliance.settings.data_dir, CLOCK, keep_free_megabytes=0)
    await store.open()
    call_id = await store.call_offered("front", CallerId())
    await store.call_answered(call_id, CallerId(number, NAMES[number]))
    recording = await store.start_recording(call_id, SampleFormat.U8)
    recording.write(VOICE[number])
    take = Take(RecordingEnd.KEY, len(VOICE[number]), len(VOICE[number]), voiced=True)
    await store.keep_message(call_id, await recording.finish(take), "zh")
    await store.keep_callback(call_id, CallbackRequest(number, "morning"), "zh")
    await store.call_ended(call_id, CallEnd.COMPLETED, None, "zh", ["message"])
    await store.close()
    await appliance.store.edit("contact", f"+86{number.removeprefix('0')}", {"name": NAMES[number]})


@asynccontextmanager
async def calls_running(appliance: Appliance) -> AsyncIterator[None]:
    """What the service `calls` does when it is asked to erase."""
    erasing = Erasing(appliance.settings, CLOCK)
    hub: EventHub[Any] = EventHub()
    server = ControlServer(appliance.settings.run_dir / "calls.sock", {}, hub, actions={"erase": erasing.erase})
    await server.start()
    try:
        yield
    finally:
        await server.stop()
        erasing.close()


async def dump(url: str) -> bytes:
    program = Path(_newest()) / "pg_dump"

    def run() -> bytes:
        return subprocess.run([program, url], capture_output=True, check=True, timeout=60).stdout

    return await asyncio.to_thread(run)


def files_holding(folder: Path, words: tuple[bytes, ...]) -> list[str]:
    files = [file for file in folder.rglob("*") if file.is_file() and not file.is_socket()]
    return [str(file) for file in files if any(word in file.read_bytes() for word in words)]


def traces(number: str) -> tuple[bytes, ...]:
    return number.removeprefix("0").encode(), NAMES[number].encode(), VOICE[number][:300]


@pytest.fixture
def places(tmp_path: Path, copies: Copies) -> Any:
    """Everything on either side that holds one of a caller's traces."""

    async def found(collector: Collector, number: str) -> list[str]:
        await sweep(collector.database, RecordingShelf(collector.shelf), copies.clock.now())
        content = await dump(copies.options.database)
        held = ["PostgreSQL"] if any(word in content for word in traces(number)) else []
        return held + await asyncio.to_thread(files_holding, tmp_path, traces(number))

    return found


async def everything_arrives(*appliances: Appliance) -> None:
    for one in appliances:
        await one.fetch()
        await one.send()
        await one.fetch()


async def test_a_caller_erased_at_the_appliance_is_erased_at_the_collector_and_at_the_other_branch(
    front: Appliance, back: Appliance, collector: Collector, places: Any
) -> None:
    for number in (GONE, STAYS):
        await call(front, number)
    await everything_arrives(front, back)
    assert f"+86{GONE}" in await back.shared("contact")
    assert len(await places(collector, GONE)) >= 4  # both databases, PostgreSQL, the recording at both ends
    receipt = await asyncio.to_thread(erase_caller, front.settings.data_dir, GONE, CLOCK, "CN")
    await everything_arrives(front, back)
    assert await places(collector, GONE) == []
    assert len(await places(collector, STAYS)) >= 4
    rows = await collector.database.rows("SELECT body FROM record WHERE kind = 'erasure'")
    (told,) = [row["body"] for row in rows]
    assert told["id"] == receipt.receipt
    assert told["counts"]["messages"] == 1


async def test_a_caller_erased_at_the_collector_is_erased_at_every_appliance_before_it_sends_its_backlog(
    front: Appliance, back: Appliance, collector: Collector, copies: Copies, places: Any
) -> None:
    for number in (GONE, STAYS):
        await call(front, number)
        await call(back, number)
    await everything_arrives(front)
    # The other one was offline for weeks, and its backlog is full of this caller.
    ordered = await erase_everywhere(collector.database, "Acme", f"+86 {GONE}", copies.clock.now())
    assert ordered.appliances == 2
    async with calls_running(front), calls_running(back):
        await everything_arrives(front)
        (order,) = await list_erasures(collector.database, "Acme")
        assert (order["answered"], order["waiting_for"], order["forgotten"]) == (1, ["back"], False)
        await back.fetch()
        assert not back.down.erasures_wait
        await back.send()
        await everything_arrives(front, back)
    assert await places(collector, GONE) == []
    assert await places(collector, STAYS)
    (order,) = await list_erasures(collector.database, "Acme")
    assert (order["answered"], order["erased"], order["waiting_for"], order["forgotten"]) == (2, 2, [], True)
    rows = await collector.database.rows("SELECT count(*) AS n FROM record WHERE kind = 'message' AND body IS NOT NULL")
    assert rows[0]["n"] == 2


async def test_an_erasure_waits_for_the_calls_service_and_holds_up_nothing_else(
    front: Appliance, collector: Collector, copies: Copies
) -> None:
    await call(front, GONE)
    await everything_arrives(front)
    await erase_everywhere(collector.database, "Acme", GONE, copies.clock.now())
    await front.fetch()
    assert front.down.erasures_wait
    async with calls_running(front):
        await front.fetch()
    assert not front.down.erasures_wait
    (order,) = await list_erasures(collector.database, None)
    assert order["erased"] == 1


async def test_an_appliance_that_is_denied_is_not_waited_for(
    front: Appliance, back: Appliance, collector: Collector, copies: Copies
) -> None:
    await erase_everywhere(collector.database, "Acme", GONE, copies.clock.now())
    async with calls_running(front):
        await call(front, STAYS)
        await front.fetch()
    await collector.database.rows("UPDATE device SET denied_at = now() WHERE name = 'back' RETURNING id")
    (order,) = await list_erasures(collector.database, None)
    assert (order["answered"], order["waiting_for"], order["forgotten"]) == (1, [], True)
    assert GONE not in (await dump(copies.options.database)).decode()
