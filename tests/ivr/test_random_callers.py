"""Callers who hang up, key, or lose their line at any operation: every call ends, and nothing kept is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from firmware.errors import CommandTimeout, ModemError, PortError, PortLost, StorageError
from firmware.events import CallbackKept, CallEnd, MessageKept, PromptStarted, RecordingEnd
from firmware.simulation.fast_time import run_fast
from firmware.simulation.scripted_line import CallerScript, Speech

if TYPE_CHECKING:
    from tests.ivr.conftest import MemoryStore, Stage

SetStage = Callable[..., "Stage"]

LONG_CALL = CallerScript(
    keys_at_prompts={
        "language_choice": ["2"],
        "main_menu": ["9", "1", "2", "1"],
        "message_review": ["2", "4", "3", "*"],
        "callback_own_choice": ["2"],
        "callback_enter": ["123#"],
        "callback_enter_help": ["02112345678#"],
        "callback_confirm": ["1"],
        "callback_when": ["3"],
    },
    speeches=[Speech(1.5), Speech(2.0), Speech(1.2)],
)
SOON, KEPT_WORDS = "as_soon_as_possible", {"message_kept": MessageKept, "callback_kept": CallbackKept}


def with_hang_up(script: CallerScript, at: int) -> CallerScript:
    return CallerScript(script.keys_at_prompts, script.keys_at_operations, script.speeches, hangs_up_at=at)


def check_promises(call: Stage) -> None:
    """What holds after every call, however it went."""
    announced = [event for event in call.events if isinstance(event, MessageKept)]
    for kept in announced:
        assert any(spoken.startswith(call.voice(kept.message_id)) for spoken in call.line.spoken)
    for recording in call.store.recordings:
        assert len(recording.data) < 8000 or recording.data in call.store.files.values()
    for event in call.events:
        if isinstance(event, CallbackKept):
            assert any(kept.id == event.callback_id for kept in call.store.callbacks.values())
    for at, event in enumerate(call.events):
        if isinstance(event, PromptStarted) and event.prompt in KEPT_WORDS:
            assert any(isinstance(earlier, KEPT_WORDS[event.prompt]) for earlier in call.events[:at])
    assert not any(recording.open for recording in call.store.recordings)


async def test_hang_up_at_every_operation_of_a_long_call(stage: SetStage) -> None:
    whole = stage(LONG_CALL)
    assert (await whole.run()).end is CallEnd.COMPLETED
    assert (len(whole.store.messages), len(whole.store.callbacks)) == (1, 1)
    count = len(whole.line.operations)
    assert count > 30
    reviewing = whole.heard.index("message_review")
    assert reviewing
    for number in range(count):
        call = stage(with_hang_up(LONG_CALL, number))
        result = await call.run()
        assert (result.end, result.evidence) == (CallEnd.CALLER_HUNG_UP, "busy_tone")
        if "record" in call.line.operations:
            assert call.store.messages, f"hanging up at operation {number} lost the message"
        if call.heard.count("callback_when"):
            assert call.store.callbacks["b0"].request.preferred in (SOON, "afternoon")
        check_promises(call)


async def test_line_failing_at_every_operation_passes_and_keeps(stage: SetStage) -> None:
    whole = stage(LONG_CALL)
    await whole.run()
    for number in range(len(whole.line.operations)):
        for error in (PortLost("unplugged"), CommandTimeout("+VTX", 1.0)):
            call = stage(CallerScript(LONG_CALL.keys_at_prompts, {}, LONG_CALL.speeches, errors_at={number: error}))
            with pytest.raises((PortError, ModemError)):
                await call.run()
            check_promises(call)


async def test_internal_error_at_every_operation_is_told_and_keeps(stage: SetStage) -> None:
    whole = stage(LONG_CALL)
    await whole.run()
    for number in range(len(whole.line.operations)):
        errors: dict[int, Exception] = {number: RuntimeError("bug")}
        call = stage(CallerScript(LONG_CALL.keys_at_prompts, {}, LONG_CALL.speeches, errors_at=errors))
        assert (await call.run()).end is CallEnd.INTERNAL_FAULT
        assert call.heard[-1] == "fault_exit"
        assert len(call.store.incidents) == 1
        check_promises(call)


@pytest.mark.parametrize("key", [*"0123456789*#"])
async def test_any_key_at_every_operation_still_ends_well(stage: SetStage, key: str) -> None:
    whole = stage(LONG_CALL)
    await whole.run()
    for number in range(len(whole.line.operations)):
        call = stage(CallerScript(LONG_CALL.keys_at_prompts, {number: key}, LONG_CALL.speeches))
        assert (await call.run()).end is CallEnd.COMPLETED
        assert call.heard[-1] == "goodbye"
        check_promises(call)


@pytest.mark.fast_time
async def test_cancellation_at_every_moment_keeps_what_was_said(stage: SetStage) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await stage(LONG_CALL, timed=True).run()
    length = loop.time() - began
    for step in range(200):
        call = stage(LONG_CALL, timed=True)
        task = asyncio.create_task(call.run())
        await asyncio.sleep(length * step / 200)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert call.heard[-1] == "shutdown_notice"
        check_promises(call)


@pytest.mark.fast_time
async def test_release_at_every_moment_keeps_what_was_said_and_tells_the_caller(stage: SetStage) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await stage(LONG_CALL, timed=True).run()
    length = loop.time() - began
    for step in range(200):
        call = stage(LONG_CALL, timed=True)
        task = asyncio.create_task(call.run())
        await asyncio.sleep(length * step / 200)
        call.session.release()
        assert (await task).end is CallEnd.LOW_BATTERY
        assert call.heard[-1] == "power_notice"
        check_promises(call)


PROMPTS = (*LONG_CALL.keys_at_prompts, "greeting", "message_intro", "callback_reason", "message", "way_out", "goodbye")
key_text = st.text("0123456789*#", max_size=12)
speech = st.builds(Speech, st.sampled_from([0.0, 0.3, 1.0, 2.0]), st.sampled_from([*RecordingEnd]), st.none())
errors = st.sampled_from([None, RuntimeError("bug"), StorageError("gone"), PortLost("unplugged")])


@st.composite
def scripts(draw: st.DrawFn) -> CallerScript:
    error = draw(errors)
    return CallerScript(
        keys_at_prompts=draw(st.dictionaries(st.sampled_from(PROMPTS), st.lists(key_text, max_size=4), max_size=8)),
        keys_at_operations=draw(st.dictionaries(st.integers(0, 60), key_text, max_size=4)),
        speeches=draw(st.lists(speech, max_size=5)),
        hangs_up_at=draw(st.none() | st.integers(0, 80)),
        errors_at={draw(st.integers(0, 60)): error} if error else {},
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=scripts(), number=st.sampled_from([None, "13800001111"]), fails_at=st.none() | st.integers(0, 20))
@example(script=LONG_CALL, number=None, fails_at=None)
def test_random_callers_always_come_to_an_end(
    stage: SetStage, memory_store: type[MemoryStore], script: CallerScript, number: str | None, fails_at: int | None
) -> None:
    async def one_call() -> None:
        call = stage(script, store=memory_store(fails_at=fails_at), number=number, timed=True)
        loop = asyncio.get_running_loop()
        try:
            result = await call.run()
        except PortLost:
            assert PortLost in {type(error) for error in script.errors_at.values()}
        else:
            assert (result.end is CallEnd.CALLER_HUNG_UP) <= call.line.gone
            assert call.line.gone or call.heard[-1] in ("goodbye", "fault_exit", "time_limit") or fails_at is not None
        assert loop.time() < 1000
        for kept in [event for event in call.events if isinstance(event, MessageKept)]:
            assert kept.message_id in call.store.messages
            assert call.voice(kept.message_id) in call.line.spoken

    run_fast(one_call())
