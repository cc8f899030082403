"""C2, C3: the last minutes of the battery, and lines that rest to save it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.many_calls.office import Office, OfficeMaker
from firmware.audio.catalogue import default_folder
from firmware.audio.shelf import Shelf
from firmware.events import CallbackKept, CallEnd, CallEnded, LineState, PromptStarted, RecordingStarted
from firmware.pcm import SampleFormat, decode_to_s16, encode_s16
from firmware.simulation.bench import BenchLine
from firmware.simulation.call import Call
from firmware.simulation.callers import Caller
from firmware.simulation.voices import babble

pytestmark = pytest.mark.fast_time

SPEECH = babble(8.0, random.Random(5))
# The notice lasts 5 s, its line is hung up, and the records are closed.
_QUIET_WITHIN_SECONDS = 8.0


def on_the_line(prompt: str, language: str) -> bytes:
    """A prompt as the modem of the bench plays it."""
    clip = Shelf(default_folder(), ["zh", "en"], pytest.fail).clip(prompt, language)
    return decode_to_s16(encode_s16(clip.s16, SampleFormat.U8), SampleFormat.U8)


def prompts(office: Office, line: BenchLine) -> list[str]:
    return [event.prompt for event in office.all(PromptStarted, line)]


async def ask(office: Office, action: str, **details: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await office.service.saving.actions()[action](details)
    return answer


async def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.1)


def state(office: Office, line: BenchLine) -> str:
    return next(str(told["state"]) for told in office.service.lines() if told["name"] == line.name)


async def give_a_number(office: Office, line: BenchLine) -> Call:
    """A caller who has given the own number for a callback, and is about to say when."""
    call = await office.ring(line, "13700137000")
    await call.heard_speech()
    await call.keys("221", 0.1, 1.5)
    await office.until(lambda: bool(office.all(CallbackKept, line)))
    return call


async def test_all_callers_are_told_and_everything_is_kept_before_the_battery_ends(open_office: OfficeMaker) -> None:
    loop = asyncio.get_running_loop()
    async with open_office(lines=3) as office:
        recorded, menu, giving = office.lines
        speaker = await office.to_the_beep(recorded)
        speaking = asyncio.create_task(speaker.speak(SPEECH))
        listener = await office.ring(menu, "13900139000")
        await listener.heard_speech()
        giver = await give_a_number(office, giving)
        await asyncio.sleep(1.0)
        assert (await office.service.saving.status())["in_call"] == 3
        told_at = loop.time()
        assert await ask(office, "low_battery", on=True) == {"low_battery": True, "quiet": False}
        await until(lambda: office.service.saving.quiet)
        assert loop.time() - told_at < _QUIET_WITHIN_SECONDS
        await asyncio.gather(speaking, return_exceptions=True)
        for line, call, language in [(recorded, speaker, "en"), (menu, listener, "zh"), (giving, giver, "en")]:
            assert prompts(office, line)[-1] == "power_notice"
            assert on_the_line("power_notice", language) in call.heard()
            assert call.subscriber_hung_up
            assert [event.end for event in office.all(CallEnded, line)] == [CallEnd.LOW_BATTERY]
        (kept,) = office.listed("messages")
        assert kept["interrupted"] is True
        assert kept["duration_seconds"] > 2.0
        (callback,) = office.listed("callbacks")
        assert callback["phone"] == "13700137000"
        assert all(call["ended_at"] for call in office.listed("calls"))
        # Nothing waits outside of the database file.
        assert (office.folder / "data" / "linekeeper.db-wal").stat().st_size == 0
        assert [state(office, line) for line in office.lines] == ["idle", "resting", "resting"]
        assert await office.service.saving.status() == {
            "lines": 3, "in_call": 0, "faults": 0, "resting": 2, "waiting_messages": 1, "speech": False,
            "low_battery": True, "quiet": True, "store": "good",
        }  # fmt: skip


async def test_the_first_line_goes_on_with_a_short_message_and_the_others_just_ring(open_office: OfficeMaker) -> None:
    async with open_office(lines=2) as office:
        first, second = office.lines
        await ask(office, "low_battery", on=True)
        await until(lambda: office.service.saving.quiet)
        unheard = await Caller(office.exchange, "13900139000").dial(second.card)
        short = await office.ring(first)
        assert not office.service.saving.quiet
        await short.ended()
        await office.until_ended(first)
        assert short.subscriber_hung_up
        for language in ("zh", "en"):
            assert on_the_line("power_low", language) in short.heard()
        (ended,) = office.all(CallEnded, first)
        assert (ended.end, ended.path) == (CallEnd.COMPLETED, ("power_low",))
        assert office.all(RecordingStarted) == []
        await until(lambda: office.service.saving.quiet)
        await asyncio.sleep(30.0)
        assert office.all(CallEnded, second) == []
        unheard.hang_up()
        assert len(office.listed("calls")) == 1


async def test_a_call_that_rings_already_is_still_answered(open_office: OfficeMaker) -> None:
    async with open_office(lines=2) as office:
        second = office.lines[1]
        call = await Caller(office.exchange, "13900139000").dial(second.card)
        await until(lambda: state(office, second) == "ringing")
        await ask(office, "low_battery", on=True)
        await call.ended()
        assert on_the_line("power_low", "zh") in call.heard()
        await until(lambda: office.service.saving.quiet)
        assert state(office, second) == "resting"


async def test_a_caller_who_is_known_hears_the_short_message_in_one_language(open_office: OfficeMaker) -> None:
    async with open_office() as office:
        (line,) = office.lines
        await office.leave_message(line, SPEECH)  # in English
        await ask(office, "low_battery", on=True)
        call = await office.ring(line)
        await call.ended()
        assert on_the_line("power_low", "en") in call.heard()
        assert on_the_line("power_low", "zh") not in call.heard()


async def test_everything_answers_again_once_mains_is_back(open_office: OfficeMaker) -> None:
    async with open_office(lines=2) as office:
        caller = await office.ring(office.lines[1], "13900139000")
        await caller.heard_speech()
        await ask(office, "low_battery", on=True)
        await until(lambda: office.service.saving.quiet)
        assert await ask(office, "low_battery", on=False) == {"low_battery": False, "quiet": False}
        await until(lambda: {state(office, line) for line in office.lines} == {"idle"})
        for line, number in zip(office.lines, ("13800138000", "13700137000"), strict=True):
            message = await office.leave_message(line, SPEECH, number)
            assert office.found(message, SPEECH) > 0
        assert (await office.service.saving.status())["speech"] is True
        assert office.listed("incidents") == []


async def test_caller_of_a_line_that_should_rest_notices_nothing(open_office: OfficeMaker) -> None:
    async with open_office(lines=2) as office:
        _, second = office.lines
        caller = await office.to_the_beep(second)
        speaking = asyncio.create_task(caller.speak(SPEECH))
        await asyncio.sleep(1.0)
        assert await ask(office, "rest", line=second.name, resting=True) == {"line": second.name, "state": "in_call"}
        await speaking
        await caller.wait(0.3)
        await caller.key("#")
        await caller.wait(1.0)
        await caller.key("1")
        await caller.ended()
        await until(lambda: state(office, second) == "resting")
        assert [event.end for event in office.all(CallEnded, second)] == [CallEnd.COMPLETED]
        assert "power_notice" not in prompts(office, second)
        (message,) = office.listed("messages")
        assert message["interrupted"] is False
        # Without power its modem vanishes, and nobody minds.
        second.unplug()
        await asyncio.sleep(600.0)
        assert state(office, second) == "resting"
        answer = await ask(office, "rest", line=second.name, resting=False)
        await asyncio.sleep(5.0)
        second.replug()
        await until(lambda: state(office, second) == "idle")
        assert answer == {"line": second.name, "state": "resting"}
        await office.leave_message(second, SPEECH, "13900139000")
        assert office.listed("incidents") == []


async def test_a_modem_that_does_not_come_back_after_its_rest_is_an_incident(open_office: OfficeMaker) -> None:
    async with open_office(lines=2) as office:
        _, second = office.lines
        await ask(office, "rest", line=second.name, resting=True)
        await until(lambda: state(office, second) == "resting")
        second.unplug()
        await ask(office, "rest", line=second.name, resting=False)
        await until(lambda: state(office, second) == LineState.FAULT.value)
        await asyncio.sleep(1.0)
        (incident,) = office.incidents("modem")
        assert incident["place"] == second.name
        second.replug()
        await until(lambda: state(office, second) == "idle")
        await asyncio.sleep(1.0)
        assert office.incidents("modem")[0]["ended_at"]
