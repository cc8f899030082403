"""C8, A2: an appliance that is told to stop says so to its callers, keeps what they said, and hangs up."""

from __future__ import annotations

import asyncio
import random

import pytest

from benchmarks.many_calls.office import Office, OfficeMaker
from firmware.audio.catalogue import default_folder
from firmware.audio.shelf import Shelf
from firmware.events import CallEnd, CallEnded, PromptStarted
from firmware.pcm import SampleFormat, decode_to_s16, encode_s16
from firmware.simulation.bench import BenchLine
from firmware.simulation.voices import babble

pytestmark = pytest.mark.fast_time

SPEECH = babble(8.0, random.Random(5))
# The notice lasts 9 s; then the line is hung up, and the records are closed.
_STOPPED_WITHIN_SECONDS = 12.0


def notice_on_the_line(language: str) -> bytes:
    """The shutdown notice as the modem of the bench plays it."""
    clip = Shelf(default_folder(), ["zh", "en"], pytest.fail).clip("shutdown_notice", language)
    return decode_to_s16(encode_s16(clip.s16, SampleFormat.U8), SampleFormat.U8)


def prompts(office: Office, line: BenchLine) -> list[str]:
    return [event.prompt for event in office.all(PromptStarted, line)]


async def stop(office: Office) -> None:
    await office.service.__aexit__(None, None, None)


async def test_callers_hear_of_a_shutdown_and_what_they_said_is_kept(open_office: OfficeMaker) -> None:
    loop = asyncio.get_running_loop()
    async with open_office(lines=3) as office:
        recorded, menu, idle = office.lines
        speaker = await office.to_the_beep(recorded)
        speaking = asyncio.create_task(speaker.speak(SPEECH))
        listener = await office.ring(menu, "13900139000")
        await listener.heard_speech()
        await asyncio.sleep(3.0)
        told_at = loop.time()
        await stop(office)
        assert loop.time() - told_at < _STOPPED_WITHIN_SECONDS
        await asyncio.gather(speaking, return_exceptions=True)
        for line, call, language in [(recorded, speaker, "en"), (menu, listener, "zh")]:
            assert prompts(office, line)[-1] == "shutdown_notice"
            assert notice_on_the_line(language) in call.heard()
            assert call.subscriber_hung_up
            assert [event.end for event in office.all(CallEnded, line)] == [CallEnd.SHUTDOWN]
        assert prompts(office, idle) == []
        (kept,) = office.listed("messages")
        assert kept["interrupted"] is True
        assert kept["duration_seconds"] > 2.0


async def test_caller_who_hangs_up_in_the_notice_delays_no_shutdown(open_office: OfficeMaker) -> None:
    loop = asyncio.get_running_loop()
    async with open_office() as office:
        (line,) = office.lines
        call = await office.ring(line)
        await call.heard_speech()
        told_at = loop.time()
        stopping = asyncio.create_task(stop(office))
        await asyncio.sleep(0.5)
        call.hang_up()
        await stopping
        assert loop.time() - told_at < _STOPPED_WITHIN_SECONDS
        assert [event.end for event in office.all(CallEnded, line)] == [CallEnd.SHUTDOWN]
