"""Finding the way through the flow: fast, wrong, silent, and a second time."""

from __future__ import annotations

import pytest

from hil.callers import CALLER, SKIP, look_in
from hil.checks import all_lines_idle, calls_over, eventually, only
from hil.rig import Rig

ELSEWHERE = "01088886666"


async def test_keys_typed_ahead_lead_all_the_way_through(rig: Rig) -> None:
    """A1, A4: barge-in at any moment; a callback at another number, in the afternoon, without a reason."""
    call = await rig.ring(rig.lines[0], CALLER)
    await call.answered()
    # 2 English, 2 callback, 2 another number, 1 right, 3 afternoon, # no reason
    await call.keys(f"222{ELSEWHERE}#13#")
    callbacks = await eventually(
        rig, "callbacks", lambda callbacks: bool(callbacks) and callbacks[0]["preferred"] == "afternoon"
    )
    assert [callback["phone"] for callback in callbacks] == [ELSEWHERE]
    await call.ended()
    assert (await calls_over(rig))[0]["end_reason"] == "completed"
    await all_lines_idle(rig)


async def test_callback_goes_to_the_callers_own_number(rig: Rig) -> None:
    """A4: the number is taken from caller ID and confirmed."""
    call = await rig.ring(rig.lines[1], CALLER)
    await call.answered()
    own_number = (await only(rig, "calls"))["caller_number"]
    if own_number is None:
        call.hang_up()
        pytest.skip("this line tells no caller's number, so that there is none to confirm")
    await call.keys("2211#")
    await eventually(rig, "callbacks", lambda callbacks: len(callbacks) == 1)
    callback = await only(rig, "callbacks")
    assert (callback["phone"], callback["preferred"]) == (own_number, "as_soon_as_possible")
    call.hang_up()
    await calls_over(rig)


async def test_caller_who_keys_nonsense_is_led_to_the_beep(rig: Rig) -> None:
    """A1: help on the first invalid entry, a graceful way out on the third."""
    call = await rig.ring(rig.lines[1], CALLER)
    await call.answered()
    # Three wrong keys for the language, three for the menu, one to skip the rest.
    await call.keys("7777777")
    assert await call.heard_beep()
    call.hang_up()
    [ended] = await calls_over(rig)
    assert "way_out" in ended["path"]
    await all_lines_idle(rig)


async def test_language_is_asked_once_and_then_remembered(rig: Rig) -> None:
    """A1: the choice is remembered for the calling number."""
    first = await rig.ring(rig.lines[1], CALLER)
    await first.answered()
    if (await only(rig, "calls"))["caller_number"] is None:
        first.hang_up()
        pytest.skip("this line tells no caller's number, so that nothing can be remembered for it")
    await first.keys("2")
    await first.heard_silence(0.5)
    first.hang_up()
    await calls_over(rig)
    second = await rig.ring(rig.lines[1], CALLER)
    await second.answered()
    # Were the language asked again, 1 would choose Chinese, and no beep would follow.
    await second.keys("1" + SKIP)
    assert await second.heard_beep()
    second.hang_up()
    calls = await calls_over(rig, 2)
    assert [call["language"] for call in calls] == ["en", "en"]


async def test_caller_who_gives_up_before_the_answer_leaves_an_idle_line(rig: Rig) -> None:
    """A2: the line is free for the next caller at once, and the lost call is on record."""
    call = await rig.ring(rig.lines[1])
    # Without a caller's number the second ring is waited for, which leaves time to give up.
    await eventually(rig, "calls", lambda calls: len(calls) == 1)
    call.hang_up()
    [lost] = await calls_over(rig)
    # A line that tells a number all the same may have been answered just before.
    assert lost["end_reason"] == "not_answered" or not rig.sample_exact
    await look_in(rig, rig.lines[1])
    await all_lines_idle(rig)
