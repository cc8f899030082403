"""Incidents are written in order, and nobody waits for a disk that does not move."""

from __future__ import annotations

import asyncio

import pytest

from firmware.services.scribe import Scribe

pytestmark = pytest.mark.fast_time


async def test_everything_is_written_in_the_order_asked_for() -> None:
    scribe, written = Scribe(), list[str]()

    async def write(word: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        written.append(word)

    task = asyncio.create_task(scribe.run())
    for word, seconds in [("lost", 3.0), ("shed", 0.0), ("back", 1.0)]:
        scribe.write(write, word, seconds)
    assert await scribe.settled(10.0)
    assert written == ["lost", "shed", "back"]
    task.cancel()


async def test_a_disk_that_hangs_delays_nobody_for_ever_and_fills_no_memory() -> None:
    scribe, hung = Scribe(), asyncio.Event()

    async def write() -> None:
        await hung.wait()

    task = asyncio.create_task(scribe.run())
    for _ in range(2000):
        scribe.write(write)
    assert not await scribe.settled(5.0)
    hung.set()
    assert await scribe.settled(5.0)
    task.cancel()
