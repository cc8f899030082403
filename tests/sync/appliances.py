"""An appliance's delivery, whole, against a real collector: real store, real outbox, real client."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from collector.service import Collector
from firmware.clock import SystemClock
from firmware.events import CallEnd, CallerId, RecordingEnd
from firmware.pcm import SampleFormat
from firmware.ports import Clock, Take
from firmware.services.collector_delivery import collector_delivery
from firmware.services.database_watch import DatabaseWatch
from firmware.services.uplinks import Delivery, DeliveryParts
from firmware.settings import Settings, parse_settings
from firmware.storage.outbox import DiskOutbox
from firmware.storage.store import Store
from firmware.sync.backoff import BackoffTimes
from firmware.sync.rate import ByteRate
from firmware.sync.sender import Sender, SenderTimes

QUICK = SenderTimes(
    look_seconds=0.02,
    storage_seconds=0.05,
    spread_seconds=0,
    backoff=BackoffTimes(first_seconds=0.02, longest_seconds=0.1),
)


def appliance_settings(folder: Path, url: str, **sync: Any) -> Settings:
    lines = "".join(f"  {name}: {value}\n" for name, value in {"mode": "collector", "url": url, **sync}.items())
    text = f"data_dir: {folder}/data\nrun_dir: {folder}/run\nlines: [{{name: a, port: /dev/none}}]\nsync:\n{lines}"
    return parse_settings("linekeeper.yaml", text)


class Appliance:
    """Store and delivery. `deliver` runs the sender until nothing is left."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.store = Store(settings.data_dir, self.clock, keep_free_megabytes=0)
        self.outbox = DiskOutbox(settings.data_dir, self.clock)
        self.delivery = self.made()
        self.sender = self.make_sender()

    def made(self) -> Delivery:
        parts = DeliveryParts(self.settings, self.clock, self.outbox, ByteRate(None))
        return collector_delivery(parts)

    def make_sender(self, times: SenderTimes = QUICK) -> Sender:
        watch = DatabaseWatch(self.settings.data_dir)
        chance = random.Random(5).random
        route = self.delivery.route.name
        return Sender(route, self.outbox, self.delivery.far_end, chance, times=times, changed=watch.stamp)

    async def leave_message(self, number: str, audio: bytes) -> str:
        call = await self.store.call_offered("front", CallerId(number))
        await self.store.call_answered(call, CallerId(number))
        recording = await self.store.start_recording(call, SampleFormat.U8)
        recording.write(audio)
        stored = await recording.finish(Take(RecordingEnd.KEY, len(audio), len(audio), voiced=True))
        kept = await self.store.keep_message(call, stored, "zh")
        await self.store.call_ended(call, CallEnd.COMPLETED, None, "zh", ["welcome", "message"])
        return str(kept.message_id)

    async def left(self) -> int:
        return (await self.outbox.state("collector")).queued

    @asynccontextmanager
    async def delivering(self) -> AsyncIterator[Sender]:
        task = asyncio.create_task(self.sender.run())
        try:
            yield self.sender
        finally:
            task.cancel()
            await asyncio.wait([task])
            await self.delivery.far_end.uplink.close()
            if not task.cancelled():
                task.result()

    async def deliver_all(self, timeout_seconds: float = 60.0) -> None:
        async with self.delivering(), asyncio.timeout(timeout_seconds):
            while await self.left():
                await asyncio.sleep(0.02)


@asynccontextmanager
async def appliance(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Appliance]:
    async with AsyncExitStack() as stack:
        made = Appliance(settings, clock)
        stack.callback(made.outbox.close)
        await made.store.open()
        stack.push_async_callback(made.store.close)
        await made.outbox.use_routes([made.delivery.route])
        yield made


async def stored(collector: Collector) -> list[dict[str, Any]]:
    """Every record, in the order of the appliance."""
    return await collector.database.rows(
        "SELECT record_id::text, kind, seq, version, body, encode(blob_sha256, 'hex') AS sha256 "
        "FROM record ORDER BY seq"
    )


def contents(folder: Path) -> set[str]:
    """SHA-256 of every file below."""
    return {hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.rglob("*") if file.is_file()}


@asynccontextmanager
async def cutting_proxy(port: int, cuts: list[int]) -> AsyncIterator[int]:
    """Passes bytes on to `port`; the next connection breaks after so many, either way, and so on until none is left."""
    tasks: set[asyncio.Task[Any]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        me = asyncio.current_task()
        assert me is not None
        tasks.add(me)
        left = [cuts.pop(0) if cuts else 10**12]
        with contextlib.suppress(OSError, asyncio.CancelledError):
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
            both = [
                asyncio.create_task(_pump(reader, there_writer, left)),
                asyncio.create_task(_pump(there_reader, writer, left)),
            ]
            tasks.update(both)
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in both:
                task.cancel()
            there_writer.transport.abort()
        writer.transport.abort()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: list[int]) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(4096):
            writer.write(data[: left[0]])
            left[0] -= len(data)
            if left[0] <= 0:
                return
            await writer.drain()
