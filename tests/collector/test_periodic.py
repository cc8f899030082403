from __future__ import annotations

import asyncio

import pytest

from collector.errors import DatabaseUnavailable
from collector.periodic import Periodic


@pytest.mark.fast_time
async def test_a_duty_comes_up_again_also_after_it_failed() -> None:
    done: list[str] = []

    async def good() -> None:
        done.append("good")

    async def bad() -> None:
        done.append("bad")
        raise DatabaseUnavailable("away")

    async with Periodic({"good": (60.0, good), "bad": (60.0, bad)}):
        await asyncio.sleep(300)
    before = len(done)
    assert done.count("good") >= 5
    assert done.count("bad") >= 5
    await asyncio.sleep(300)
    assert len(done) == before
