"""Leaving a message, with and without patience. Keys: 2 is English, 1 a message, any key skips what is said."""

from __future__ import annotations

import asyncio

from hil.callers import OTHER_CALLER, SKIP, after_the_beep, at_the_beep, say
from hil.checks import all_lines_idle, assert_says, calls_over, eventually, only
from hil.rig import Rig


async def test_message_is_kept_before_the_caller_hears_so(rig: Rig, words: bytes) -> None:
    """A3: beep, speech, #, 1 keeps; it is in the records by the time the caller hears it."""
    call = await at_the_beep(rig, rig.lines[0])
    await say(call, words)
    await call.keys("#1")
    assert await call.heard_speech()
    message = await only(rig, "messages")
    assert (message["language"], message["urgent"], message["interrupted"]) == ("en", False, False)
    await assert_says(rig, message, words)
    await call.ended()
    assert (await calls_over(rig))[0]["end_reason"] == "completed"
    await all_lines_idle(rig)


async def test_hanging_up_in_the_middle_keeps_what_was_said(rig: Rig, words: bytes) -> None:
    """A3: the caller may just hang up."""
    call = await at_the_beep(rig, rig.lines[0])
    await call.speak(words)
    call.hang_up()
    [ended] = await calls_over(rig)
    assert ended["end_reason"] == "caller_hung_up"
    message = await only(rig, "messages")
    assert message["interrupted"] is False
    await assert_says(rig, message, words)
    await all_lines_idle(rig)


async def test_message_can_be_marked_urgent_and_recorded_again(rig: Rig, words: bytes, other_words: bytes) -> None:
    """A3: review, record again, mark urgent; one message comes out."""
    call = await at_the_beep(rig, rig.lines[1])
    await say(call, words)
    await call.keys("#3" + SKIP)
    await after_the_beep(call)
    await say(call, other_words)
    await call.keys("#41")
    messages = await eventually(rig, "messages", lambda messages: bool(messages) and messages[0]["urgent"])
    assert len(messages) == 1
    await assert_says(rig, messages[0], other_words)
    call.hang_up()


async def test_two_lines_at_once_keep_their_own_messages(rig: Rig, words: bytes, other_words: bytes) -> None:
    """D1: several lines; each caller's words end up in that caller's message."""
    first, second = await asyncio.gather(at_the_beep(rig, rig.lines[0]), at_the_beep(rig, rig.lines[1], OTHER_CALLER))
    await asyncio.gather(say(first, words), say(second, other_words))
    await asyncio.gather(first.keys("#"), second.keys("#"))
    messages = await eventually(rig, "messages", lambda messages: len(messages) == 2)
    line_of = {call["id"]: call["line"] for call in await rig.records("calls")}
    by_line = {line_of[message["call_id"]]: message for message in messages}
    await assert_says(rig, by_line[rig.lines[0]], words)
    await assert_says(rig, by_line[rig.lines[1]], other_words)
    first.hang_up()
    second.hang_up()
    await all_lines_idle(rig)
