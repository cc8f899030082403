"""Power cuts and pulled plugs, at the moments that matter."""

from __future__ import annotations

from hil.callers import OTHER_CALLER, at_the_beep, begin_to_speak, look_in, say
from hil.checks import all_lines_idle, assert_says, calls_over, eventually, line_becomes, only
from hil.rig import Rig

# Said in seconds when the plug is pulled; the talk itself is longer.
SAID_SECONDS = 4.0


async def test_power_cut_while_recording_keeps_what_was_spoken(rig: Rig, long_talk: bytes) -> None:
    """D2, A3: at most one second is missing, the message is marked, and the line answers again."""
    call = await at_the_beep(rig, rig.lines[1])
    speaking = await begin_to_speak(call, long_talk, SAID_SECONDS)
    await rig.cut_power()
    call.hang_up()
    await speaking
    await rig.restore_power()
    message = await only(rig, "messages")
    assert message["interrupted"] is True
    said = long_talk[: 2 * round(SAID_SECONDS * 8000)]
    await assert_says(rig, message, said, missing_seconds=1.0)
    [cut_off] = await calls_over(rig)
    assert cut_off["end_reason"] == "interrupted"
    await look_in(rig, rig.lines[1])
    await all_lines_idle(rig)


async def test_power_cut_right_after_saved_loses_nothing(rig: Rig, words: bytes) -> None:
    """D2: what was acknowledged is kept, whole and once."""
    call = await at_the_beep(rig, rig.lines[1])
    await say(call, words)
    await call.keys("#1")
    assert await call.heard_speech()
    await rig.cut_power()
    call.hang_up()
    await rig.restore_power()
    message = await only(rig, "messages")
    assert message["interrupted"] is False
    await assert_says(rig, message, words)
    await all_lines_idle(rig)


async def test_unplugged_idle_modem_is_noticed_and_comes_back(rig: Rig) -> None:
    """C8: noticed within 10 s and reported; the other line goes on; the replugged modem answers again."""
    pulled, other = rig.lines[1], rig.lines[0]
    await rig.unplug_modem(pulled)
    line = await line_becomes(rig, pulled, "fault", timeout=10.0)
    assert line["fault"]
    await look_in(rig, other, OTHER_CALLER)
    await rig.replug_modem(pulled)
    await line_becomes(rig, pulled, "idle")
    incidents = await eventually(rig, "incidents", lambda incidents: all(each["ended_at"] for each in incidents))
    assert [incident["kind"] for incident in incidents] == ["modem"]
    await look_in(rig, pulled)
    await all_lines_idle(rig)


async def test_modem_unplugged_in_a_call_keeps_what_was_spoken(rig: Rig, long_talk: bytes) -> None:
    """C8, A3: the call ends as a fault of the line, the message stays, and the line comes back."""
    call = await at_the_beep(rig, rig.lines[1])
    speaking = await begin_to_speak(call, long_talk, SAID_SECONDS)
    await rig.unplug_modem(rig.lines[1])
    call.hang_up()
    await speaking
    [ended] = await calls_over(rig)
    assert ended["end_reason"] == "line_fault"
    message = await only(rig, "messages")
    said = long_talk[: 2 * round(SAID_SECONDS * 8000)]
    await assert_says(rig, message, said, missing_seconds=1.0)
    await rig.replug_modem(rig.lines[1])
    await line_becomes(rig, rig.lines[1], "idle")
    await look_in(rig, rig.lines[1])
