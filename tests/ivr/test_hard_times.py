"""Calls under a full disk, faults, the time limit and a shutdown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from firmware.errors import CommandTimeout, DiskFull, PortLost, PromptError, StorageError
from firmware.events import (
    CallEnd,
    RecordingEnd,
)
from firmware.ivr.loader import parse_flow
from firmware.settings import CallSettings
from firmware.simulation.scripted_line import CallerScript, Speech

if TYPE_CHECKING:
    from tests.ivr.conftest import MemoryStore, Stage

SetStage = Callable[..., "Stage"]

MESSAGE_CALL = CallerScript(
    keys_at_prompts={"language_choice": ["1"], "main_menu": ["1"], "message_review": ["1"]}, speeches=[Speech(2.0)]
)
CALLBACK_CALL = CallerScript(
    keys_at_prompts={
        "language_choice": ["2"],
        "main_menu": ["2"],
        "callback_own_choice": ["2"],
        "callback_enter": ["02112345678#"],
        "callback_confirm": ["1"],
        "callback_when": ["2"],
    },
    speeches=[Speech(1.5)],
)


@pytest.mark.parametrize("seen_early", [True, False])
async def test_full_disk_leads_to_a_callback_by_keys(
    stage: SetStage, memory_store: type[MemoryStore], seen_early: bool
) -> None:
    script = CallerScript({"main_menu": ["1"], "callback_own_choice": ["1"], "callback_when": ["1"]})
    call = stage(script, store=memory_store(room=not seen_early, full_at_start=True))
    result = await call.run()
    assert result.path[-4:] == ("message", "voice_full", "callback_by_keys", "goodbye")
    assert result.end is CallEnd.COMPLETED
    assert call.store.callbacks["b0"].request.phone == "13800001111"


async def test_silent_caller_on_a_full_disk_still_comes_to_the_goodbye(
    stage: SetStage, memory_store: type[MemoryStore]
) -> None:
    call = stage(store=memory_store(room=False))
    assert (await call.run()).end is CallEnd.NO_ANSWER_FROM_CALLER
    assert call.heard[-1] == "goodbye"


async def test_disk_that_fills_up_keeps_what_was_said_before(stage: SetStage) -> None:
    call = stage(CallerScript({"main_menu": ["1"]}, speeches=[Speech(1.0, RecordingEnd.DISK_FULL)]))
    await call.run()
    assert call.voice("m0") == call.line.spoken[0]


async def test_disk_that_fills_up_in_a_second_take_keeps_both(stage: SetStage) -> None:
    speeches = [Speech(3.0), Speech(1.0, RecordingEnd.DISK_FULL)]
    call = stage(CallerScript({"main_menu": ["1"], "message_review": ["3"]}, speeches=speeches))
    await call.run()
    assert [call.voice(name) for name in ("m0", "m1")] == call.line.spoken


async def test_full_disk_leaves_a_message_that_was_to_be_recorded_again(
    stage: SetStage, memory_store: type[MemoryStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    call = stage(CallerScript({"main_menu": ["1"], "message_review": ["3", "1"]}, speeches=[Speech(3.0)]))
    rooms = iter([True, False])

    async def room() -> bool:
        return next(rooms)

    monkeypatch.setattr(call.store, "voice_room", room)
    await call.run()
    assert call.heard[call.heard.index("message_review") + 1 :][:2] == ["message_stays", "message_review"]
    assert call.voice("m0") == call.line.spoken[0]


async def test_disk_that_takes_no_sample_refuses_kindly(stage: SetStage) -> None:
    call = stage(CallerScript({"main_menu": ["1"]}, speeches=[Speech(0, RecordingEnd.DISK_FULL)]))
    assert "voice_full" in (await call.run()).path


async def test_disk_full_at_the_end_of_a_take_refuses_kindly(stage: SetStage, memory_store: type[MemoryStore]) -> None:
    plain = stage(MESSAGE_CALL)
    await plain.run()
    store = memory_store(fails_at=plain.store.steps.index("finish"), failure=DiskFull("no room"))
    assert "voice_full" in (await stage(MESSAGE_CALL, store=store).run()).path


async def test_lost_modem_passes_after_the_recording_is_kept(stage: SetStage) -> None:
    speech = Speech(2.0, error=CommandTimeout("+VRX", 1.0))
    call = stage(CallerScript({"main_menu": ["1"]}, speeches=[speech]))
    with pytest.raises(CommandTimeout):
        await call.run()
    assert call.voice("m0") == call.line.spoken[0]
    assert call.store.messages["m0"].stored.take.end is RecordingEnd.FAULT
    assert call.session.path[-1] == "message"


async def test_modem_lost_in_a_second_take_keeps_both(stage: SetStage) -> None:
    speeches = [Speech(3.0), Speech(2.0, error=PortLost("unplugged"))]
    call = stage(CallerScript({"main_menu": ["1"], "message_review": ["3"]}, speeches=speeches))
    with pytest.raises(PortLost):
        await call.run()
    assert [call.voice(name) for name in ("m0", "m1")] == call.line.spoken


@pytest.mark.parametrize("error", [StorageError("x"), PromptError("x"), RuntimeError("x"), TimeoutError()])
async def test_internal_error_is_told_recorded_and_survived(stage: SetStage, error: Exception) -> None:
    call = stage(CallerScript(errors_at={2: error}))
    assert (await call.run()).end is CallEnd.INTERNAL_FAULT
    assert call.heard[-1] == "fault_exit"
    [(kind, place, summary)] = call.store.incidents
    assert (kind, place) == ("call_fault", "front")
    assert type(error).__name__ in summary


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (CallerScript(errors_at={2: RuntimeError("bug")}), "The caller heard that all saved is safe"),
        (CallerScript(errors_at={2: RuntimeError("bug")}, hangs_up_at=3), "The caller hung up before hearing"),
        (CallerScript(errors_at={2: RuntimeError("bug"), 3: OSError("bug")}), "the caller could not be told why"),
    ],
)
async def test_incident_says_what_the_caller_heard(stage: SetStage, script: CallerScript, told: str) -> None:
    call = stage(script)
    assert (await call.run()).end is CallEnd.INTERNAL_FAULT
    [note] = call.store.notes
    assert told in note


@pytest.mark.parametrize("error", [CommandTimeout("+VTX", 1.0), PortLost("unplugged")])
async def test_line_that_fails_in_the_fault_exit_passes_after_the_incident_is_recorded(
    stage: SetStage, error: Exception
) -> None:
    call = stage(CallerScript(errors_at={2: RuntimeError("bug"), 3: error}))
    with pytest.raises(type(error)):
        await call.run()
    assert len(call.store.incidents) == 1
    [note] = call.store.notes
    assert note.startswith("The line failed as well")


@pytest.mark.fast_time
async def test_shutdown_in_the_fault_exit_is_told_and_recorded(stage: SetStage) -> None:
    call = stage(CallerScript(errors_at={2: RuntimeError("bug")}), timed=True)
    task = asyncio.create_task(call.run())
    while "fault_exit" not in call.heard:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert call.heard[-1] == "shutdown_notice"
    assert call.store.notes == ["The appliance was told to stop before the caller could hear of it."]


async def test_errors_in_the_fault_exit_end_the_call_all_the_same(stage: SetStage) -> None:
    errors: dict[int, Exception] = {number: RuntimeError("again") for number in range(1, 9)}
    call = stage(CallerScript(errors_at=errors))
    assert (await call.run()).end is CallEnd.INTERNAL_FAULT
    assert call.store.incidents


@pytest.mark.parametrize("script", [MESSAGE_CALL, CALLBACK_CALL])
async def test_storage_failing_at_any_step_never_ends_in_silence(
    stage: SetStage, memory_store: type[MemoryStore], script: CallerScript
) -> None:
    plain = stage(script)
    await plain.run()
    for number in range(len(plain.store.steps)):
        call = stage(script, store=memory_store(fails_at=number))
        assert (await call.run()).end in (CallEnd.INTERNAL_FAULT, CallEnd.COMPLETED)
        assert call.heard[-1] in ("fault_exit", "goodbye")
        assert ("message_kept" in call.heard) <= bool(call.store.messages)


@pytest.mark.fast_time
async def test_longest_time_ends_a_call_in_good_form(stage: SetStage) -> None:
    script = CallerScript({"main_menu": ["1"], "message_review": ["2"] * 1000}, speeches=[Speech(5.0)])
    call = stage(script, settings=CallSettings(longest_seconds=60), timed=True)
    assert (await call.run()).end is CallEnd.TIME_LIMIT
    assert call.heard[-2:] == ["time_limit", "goodbye"]
    assert asyncio.get_running_loop().time() < 70


@pytest.mark.fast_time
async def test_recording_ends_with_the_call_and_is_kept(stage: SetStage) -> None:
    settings = CallSettings(longest_seconds=60)
    call = stage(CallerScript({"main_menu": ["1"]}, speeches=[Speech(170.0)]), settings=settings, timed=True)
    assert (await call.run()).end is CallEnd.TIME_LIMIT
    assert call.store.messages["m0"].stored.take.end is RecordingEnd.TIME_LIMIT
    assert call.voice("m0") == call.line.spoken[0]


@pytest.mark.fast_time
async def test_line_that_hangs_is_cut_off_a_little_later(stage: SetStage, monkeypatch: pytest.MonkeyPatch) -> None:
    call = stage(settings=CallSettings(longest_seconds=60), timed=True)

    async def never(timeout_seconds: float) -> str | None:
        await asyncio.get_running_loop().create_future()
        return None

    monkeypatch.setattr(call.line, "take_key", never)
    assert (await call.run()).end is CallEnd.TIME_LIMIT
    assert asyncio.get_running_loop().time() < 120


@pytest.mark.fast_time
async def test_shutdown_keeps_the_recording_in_progress(stage: SetStage) -> None:
    call = stage(CallerScript({"main_menu": ["1"]}, speeches=[Speech(100.0)]), timed=True)
    task = asyncio.create_task(call.run())
    await asyncio.sleep(60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    kept = call.store.messages["m0"].stored
    assert kept.take.end is RecordingEnd.INTERRUPTED
    assert 20 * 8000 < kept.take.total_samples == len(call.voice("m0")) < 60 * 8000
    assert call.heard[-1] == "shutdown_notice"


@pytest.mark.fast_time
async def test_second_stop_cuts_the_shutdown_notice_short(stage: SetStage) -> None:
    call = stage(CallerScript(), timed=True)
    task = asyncio.create_task(call.run())
    await asyncio.sleep(3)
    task.cancel()
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.get_running_loop().time() == pytest.approx(3.5, abs=0.01)


@pytest.mark.fast_time
@pytest.mark.parametrize("error", [PortLost("unplugged"), CommandTimeout("+VTX", 1.0), RuntimeError("bug")])
async def test_line_that_fails_at_the_shutdown_notice_leaves_the_cancellation(
    stage: SetStage, error: Exception
) -> None:
    call = stage(CallerScript(errors_at=dict.fromkeys(range(3, 9), error)), timed=True)
    task = asyncio.create_task(call.run())
    await asyncio.sleep(0.55)
    assert len(call.line.operations) == 3
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.fast_time
async def test_line_that_hangs_at_the_shutdown_notice_is_given_up(
    stage: SetStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = stage(timed=True)
    task = asyncio.create_task(call.run())
    await asyncio.sleep(3.0)

    async def never(clips: object, *, barge_in: bool = True) -> bool:
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        return await future

    monkeypatch.setattr(call.line, "play", never)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.get_running_loop().time() == pytest.approx(15.0, abs=0.01)


async def test_branches_by_caller_number_and_voice_room(stage: SetStage, memory_store: type[MemoryStore]) -> None:
    flow = parse_flow(
        "test",
        """
start: who
steps:
  who: {kind: branch, by: caller_number, known: room, unknown: stranger}
  room: {kind: branch, by: voice_room, room: roomy, full: crowded}
  stranger: {kind: hang_up, prompt: stranger}
  roomy: {kind: hang_up, prompt: roomy}
  crowded: {kind: goto, next: crowded_end}
  crowded_end: {kind: hang_up, prompt: crowded}
""",
    )
    for number, room, prompt in [("555", True, "roomy"), ("555", False, "crowded"), (None, True, "stranger")]:
        call = stage(flow=flow, number=number, store=memory_store(room=room))
        await call.run()
        assert call.heard == [prompt]
