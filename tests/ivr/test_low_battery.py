"""Calls that are let go of at low battery, at any instant, and the short message after that."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from firmware.errors import ConfigurationError, PortLost
from firmware.events import CallEnd, RecordingEnd
from firmware.ivr.loader import LOW_BATTERY_FLOW, load_flow, parse_flow
from firmware.simulation.scripted_line import CallerScript, Speech

if TYPE_CHECKING:
    from tests.ivr.conftest import MemoryStore, Stage

SetStage = Callable[..., "Stage"]


@pytest.mark.fast_time
async def test_the_recording_in_progress_is_kept_and_the_caller_told(stage: SetStage) -> None:
    call = stage(CallerScript({"main_menu": ["1"]}, speeches=[Speech(100.0)]), timed=True)
    task = asyncio.create_task(call.run())
    await asyncio.sleep(60)
    call.session.release()
    result = await task
    assert result.end is CallEnd.LOW_BATTERY
    assert result.path[-1] == "message"
    kept = call.store.messages["m0"].stored
    assert kept.take.end is RecordingEnd.INTERRUPTED
    assert 20 * 8000 < kept.take.total_samples == len(call.voice("m0")) < 60 * 8000
    assert call.heard[-1] == "power_notice"


async def test_a_call_let_go_of_before_it_began_hears_the_notice_only(stage: SetStage) -> None:
    call = stage()
    call.session.release()
    assert (await call.run()).end is CallEnd.LOW_BATTERY
    assert call.heard == ["power_notice"]


@pytest.mark.fast_time
async def test_a_caller_who_hangs_up_in_the_notice_and_a_line_that_fails_change_nothing(stage: SetStage) -> None:
    call = stage(CallerScript(errors_at=dict.fromkeys(range(3, 9), PortLost("unplugged"))), timed=True)
    task = asyncio.create_task(call.run())
    await asyncio.sleep(0.55)
    call.session.release()
    assert (await task).end is CallEnd.LOW_BATTERY


@pytest.mark.fast_time
async def test_a_line_that_hangs_in_the_notice_is_given_up(stage: SetStage, monkeypatch: pytest.MonkeyPatch) -> None:
    call = stage(timed=True)
    task = asyncio.create_task(call.run())
    await asyncio.sleep(3.0)

    async def never(clips: object, *, barge_in: bool = True) -> bool:
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        return await future

    monkeypatch.setattr(call.line, "play", never)
    call.session.release()
    await task
    assert asyncio.get_running_loop().time() == pytest.approx(11.0, abs=0.01)


@pytest.mark.fast_time
async def test_a_shutdown_in_the_notice_still_ends_the_call(stage: SetStage) -> None:
    call = stage(timed=True)
    task = asyncio.create_task(call.run())
    await asyncio.sleep(3.0)
    call.session.release()
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_short_message_is_said_in_every_language_and_asks_for_nothing(stage: SetStage) -> None:
    call = stage(flow=load_flow(LOW_BATTERY_FLOW))
    result = await call.run()
    assert call.heard == ["power_low", "power_low"]
    assert (result.end, result.path) == (CallEnd.COMPLETED, ("power_low",))
    assert call.store.files == {}


async def test_a_known_caller_hears_the_short_message_once(stage: SetStage, memory_store: type[MemoryStore]) -> None:
    store = memory_store()
    await store.remember_language("13800001111", "en")
    call = stage(flow=load_flow(LOW_BATTERY_FLOW), store=store)
    result = await call.run()
    assert (call.heard, result.language) == (["power_low"], "en")


def test_every_language_is_a_switch() -> None:
    text = "start: bye\nsteps:\n  bye:\n    kind: hang_up\n    every_language: zh\n"
    with pytest.raises(ConfigurationError, match='5: "every_language" is true or false here, not "zh"'):
        parse_flow("f.yaml", text)
