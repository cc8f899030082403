from __future__ import annotations

import asyncio

import pytest

from firmware.interruption import Interrupted, Interruption

pytestmark = pytest.mark.fast_time


async def wait_for(interruption: Interruption, seconds: float) -> None:
    async with interruption.breakable():
        await asyncio.sleep(seconds)


async def test_what_is_waited_for_is_broken_off_when_asked() -> None:
    loop, interruption = asyncio.get_running_loop(), Interruption()
    began = loop.time()
    loop.call_later(3.0, interruption.ask)
    with pytest.raises(Interrupted):
        await wait_for(interruption, 60.0)
    assert loop.time() - began == pytest.approx(3.0)


async def test_the_task_goes_on_after_it_and_can_still_be_cancelled() -> None:
    interruption = Interruption()

    async def life() -> None:
        with pytest.raises(Interrupted):
            await wait_for(interruption, 60.0)
        await asyncio.sleep(60.0)

    task = asyncio.create_task(life())
    await asyncio.sleep(1.0)
    interruption.ask()
    interruption.ask()
    await asyncio.sleep(1.0)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_standing_wish_breaks_off_before_anything_begins() -> None:
    interruption = Interruption()
    interruption.ask()
    begun = []
    with pytest.raises(Interrupted):
        async with interruption.breakable():
            begun.append("something")
    assert begun == []


async def test_after_the_wish_is_withdrawn_everything_is_as_before() -> None:
    interruption = Interruption()
    interruption.ask()
    asyncio.get_running_loop().call_later(2.0, interruption.withdraw)
    await interruption.withdrawn()
    await wait_for(interruption, 1.0)
    assert not interruption.asked


async def test_a_wish_asked_twice_in_one_turn_of_the_loop_is_one() -> None:
    interruption = Interruption()
    task = asyncio.create_task(wait_for(interruption, 60.0))
    await asyncio.sleep(1.0)
    interruption.ask()
    interruption.withdraw()
    interruption.ask()
    with pytest.raises(Interrupted):
        await task


async def test_a_time_out_of_what_is_inside_stays_one() -> None:
    interruption = Interruption()
    with pytest.raises(TimeoutError):
        async with interruption.breakable(), asyncio.timeout(1.0):
            await asyncio.sleep(60.0)
    assert not interruption.asked


async def test_nothing_that_is_over_is_broken_off() -> None:
    interruption = Interruption()
    await wait_for(interruption, 1.0)
    interruption.ask()
    await asyncio.sleep(1.0)
