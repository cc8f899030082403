"""Calls through the built-in flow that leave a message."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from firmware.events import (
    CallEnd,
    KeyPressed,
    MessageKept,
    PromptStarted,
    RecordingEnd,
    RecordingStarted,
    RecordingStopped,
    StepEntered,
)
from firmware.simulation.scripted_line import CallerScript, Speech

if TYPE_CHECKING:
    from tests.ivr.conftest import Stage

SetStage = Callable[..., "Stage"]

MESSAGE_CALL = CallerScript(
    keys_at_prompts={"language_choice": ["1"], "main_menu": ["1"], "message_review": ["1"]}, speeches=[Speech(2.0)]
)


async def test_message_is_committed_before_the_review_and_its_number_read_out(stage: SetStage) -> None:
    call = stage(MESSAGE_CALL)
    result = await call.run()
    assert result.end is CallEnd.COMPLETED
    assert call.voice("m0") == call.line.spoken[0]
    end = call.heard[call.heard.index("message_review") :]
    assert end == ["message_review", "message_kept", "message_number"] + [f"digit_{d}" for d in "1001"] + ["goodbye"]
    events = [type(event) for event in call.events]
    review = next(
        at
        for at, event in enumerate(call.events)
        if isinstance(event, PromptStarted) and event.prompt == "message_review"
    )
    assert events.index(MessageKept) < review


async def test_watchers_see_the_whole_call_in_order(stage: SetStage) -> None:
    call = stage(MESSAGE_CALL)
    result = await call.run()
    steps = [event.step for event in call.events if isinstance(event, StepEntered)]
    assert tuple(steps) == result.path == ("opening", "greeting", "language", "main_menu", "message", "goodbye")
    assert [event.key for event in call.events if isinstance(event, KeyPressed)] == ["1", "1", "#", "1"]
    stopped = next(event for event in call.events if isinstance(event, RecordingStopped))
    assert (stopped.end, stopped.seconds) == (RecordingEnd.KEY, 2.0)
    assert sum(isinstance(event, RecordingStarted) for event in call.events) == 1


async def test_digits_are_told_to_watchers_as_one_part(stage: SetStage) -> None:
    call = stage(MESSAGE_CALL)
    await call.run()
    assert [event.text for event in call.events if isinstance(event, PromptStarted) and event.prompt == "digits"] == [
        "1 0 0 1"
    ]


async def test_stale_keys_do_not_end_a_recording(stage: SetStage) -> None:
    call = stage(CallerScript({"main_menu": ["1"], "message_intro": ["###"]}, speeches=[Speech()]))
    await call.run()
    assert len(call.store.messages) == 1
    assert call.line.waiting_keys == ""


async def test_silence_in_the_review_keeps(stage: SetStage) -> None:
    call = stage(CallerScript({"main_menu": ["1"]}, speeches=[Speech()]))
    await call.run()
    assert call.heard.count("message_review") == 1
    assert "message_kept" in call.heard


async def test_empty_message_is_offered_again_once(stage: SetStage) -> None:
    speeches = [Speech(0, RecordingEnd.SILENCE), Speech(1.0)]
    call = stage(CallerScript({"main_menu": ["1"]}, speeches=speeches))
    await call.run()
    assert call.heard.count("message_empty") == 1
    assert call.voice("m0") == call.line.spoken[1]
    assert not call.store.recordings[0].open


async def test_listening_plays_the_message(stage: SetStage) -> None:
    call = stage(CallerScript({"main_menu": ["1"], "message_review": ["2", "1"]}, speeches=[Speech()]))
    await call.run()
    assert "message" in call.heard
    assert call.heard.count("message_review") == 2


async def test_recording_again_replaces_only_after_the_new_take_is_durable(stage: SetStage) -> None:
    speeches = [Speech(1.0), Speech(2.0)]
    call = stage(CallerScript({"main_menu": ["1"], "message_review": ["3", "1"]}, speeches=speeches))
    await call.run()
    assert call.store.steps.index("replace_message") == len(call.store.steps) - 1
    assert call.store.steps[-2] == "finish"
    assert list(call.store.messages) == ["m0"]
    assert call.voice("m0") == call.line.spoken[1]


async def test_empty_new_take_leaves_the_old_message(stage: SetStage) -> None:
    call = stage(CallerScript({"main_menu": ["1"], "message_review": ["3"]}, speeches=[Speech(1.0)]))
    assert (await call.run()).end is CallEnd.COMPLETED
    assert call.voice("m0") == call.line.spoken[0]
    assert "message_kept" in call.heard


async def test_marking_urgent_stays_in_the_review(stage: SetStage) -> None:
    call = stage(CallerScript({"main_menu": ["1"], "message_review": ["4", "1"]}, speeches=[Speech()]))
    await call.run()
    assert call.store.messages["m0"].urgent
    assert call.heard.count("message_review") == 2


async def test_second_message_of_a_call_replaces_nothing(stage: SetStage) -> None:
    script = CallerScript({"main_menu": ["1", "1"], "message_review": ["*"]}, speeches=[Speech(1.0), Speech(2.0)])
    call = stage(script)
    await call.run()
    assert [call.voice(name) for name in ("m0", "m1")] == call.line.spoken


async def test_star_before_the_beep_goes_back_and_is_used_up(stage: SetStage) -> None:
    call = stage(CallerScript({"main_menu": ["1"], "message_intro": ["*"]}))
    result = await call.run()
    assert result.path.count("language") == 1
    assert call.heard.count("main_menu") > 1


@pytest.mark.parametrize("end", [RecordingEnd.HANG_UP, RecordingEnd.SILENCE, RecordingEnd.TIME_LIMIT])
async def test_message_is_kept_however_it_ends(stage: SetStage, end: RecordingEnd) -> None:
    call = stage(CallerScript({"main_menu": ["1"]}, speeches=[Speech(1.0, end)]))
    result = await call.run()
    assert call.voice("m0") == call.line.spoken[0]
    assert (result.end is CallEnd.CALLER_HUNG_UP) == (end is RecordingEnd.HANG_UP)


async def test_hang_up_with_nothing_said_keeps_nothing(stage: SetStage) -> None:
    call = stage(CallerScript({"main_menu": ["1"]}, speeches=[Speech(0, RecordingEnd.HANG_UP)]))
    result = await call.run()
    assert (result.end, result.evidence) == (CallEnd.CALLER_HUNG_UP, "busy_tone")
    assert call.store.messages == {}
    assert not call.store.recordings[0].open


@pytest.mark.parametrize("end", [RecordingEnd.TIME_LIMIT, RecordingEnd.DISK_FULL])
async def test_speaker_who_is_cut_off_is_told_that_the_message_is_saved(stage: SetStage, end: RecordingEnd) -> None:
    call = stage(CallerScript({"main_menu": ["1"]}, speeches=[Speech(2.0, end=end)]))
    await call.run()
    assert call.heard[call.heard.index("message_limit") + 1] == "message_review"
    told = [type(event) if isinstance(event, MessageKept) else getattr(event, "prompt", "") for event in call.events]
    assert told.index(MessageKept) < told.index("message_limit")


async def test_end_key_that_comes_after_the_limit_answers_nothing(stage: SetStage) -> None:
    keys = {"main_menu": ["1"], "message_limit": ["#1"]}
    call = stage(CallerScript(keys, speeches=[Speech(2.0, end=RecordingEnd.TIME_LIMIT)]))
    await call.run()
    assert "wrong_key" not in call.heard
    assert "message_review" not in call.heard  # the key behind it was taken for its answer
    assert "message_kept" in call.heard


@pytest.mark.parametrize("end", [RecordingEnd.KEY, RecordingEnd.SILENCE])
async def test_speaker_who_had_finished_hears_of_no_limit(stage: SetStage, end: RecordingEnd) -> None:
    call = stage(CallerScript({"main_menu": ["1"]}, speeches=[Speech(2.0, end=end)]))
    await call.run()
    assert "message_limit" not in call.heard
