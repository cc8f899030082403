"""A technician listens in: both sides of a call, as they are on the line, from the moment somebody listens."""

from __future__ import annotations

import asyncio
import random
from array import array
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.modem.dle import shield, unshield
from firmware.modem.tone import tone_clip
from firmware.pcm import SampleFormat, encode_s16
from firmware.ports import Clip, RecordLimits
from firmware.simulation.voices import babble

if TYPE_CHECKING:
    from tests.modem.conftest import BenchMaker, Sink

pytestmark = pytest.mark.fast_time

SPEECH = babble(2.0, random.Random(31))


class Monitor:
    """`ports.CallMonitor` that keeps everything."""

    def __init__(self) -> None:
        self.said = b""
        self.heard = b""
        self.formats: set[SampleFormat] = set()

    def caller_said(self, data: bytes, sample_format: SampleFormat) -> None:
        self.said += data
        self.formats.add(sample_format)

    def caller_hears(self, data: bytes, sample_format: SampleFormat) -> None:
        self.heard += data
        self.formats.add(sample_format)


@given(st.binary())
def test_a_shielded_block_is_unshielded_byte_for_byte(audio: bytes) -> None:
    assert unshield(shield(audio)) == audio


@pytest.mark.parametrize("family", ["conexant", "usr", "agere", "silabs"])
async def test_both_sides_are_given_as_they_are_on_the_line(make_bench: BenchMaker, sink: Sink, family: str) -> None:
    bench = make_bench(family)
    await bench.line.open()
    bench.line.monitor = monitor = Monitor()
    call = await bench.ring_and_see()
    # In every format there is a sample that has to be shielded.
    prompts = [tone_clip(440, 1.0), Clip("ramp", "", array("h", range(-32768, 32768, 8)).tobytes())]
    async with bench.line.answer() as voice:
        assert await voice.play(prompts)
        said = encode_s16(b"".join(clip.s16 for clip in prompts), voice.sample_format)
        assert b"\x10" in said
        assert (monitor.heard, monitor.said) == (said, b"")
        recording = asyncio.create_task(voice.record(sink, RecordLimits(3.0, 5, -38)))
        await call.speak(SPEECH)
        await recording
        assert monitor.said == sink.data
        assert monitor.formats == {voice.sample_format}


async def test_the_caller_is_heard_while_a_key_is_awaited_in_voice_data(make_bench: BenchMaker) -> None:
    bench = make_bench("usr")
    await bench.line.open()
    bench.line.monitor = monitor = Monitor()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        waiting = asyncio.create_task(voice.take_key(3))
        await call.wait(0.5)
        await call.speak(SPEECH)
        await waiting
        assert encode_s16(SPEECH, voice.sample_format) in monitor.said


async def test_somebody_may_begin_and_stop_to_listen_in_the_middle_of_a_prompt(make_bench: BenchMaker) -> None:
    bench = make_bench()
    await bench.line.open()
    await bench.ring_and_see()
    monitor = Monitor()
    async with bench.line.answer() as voice:
        playing = asyncio.create_task(voice.play([tone_clip(440, 5.0)]))
        await asyncio.sleep(1.5)
        bench.line.monitor = monitor
        await asyncio.sleep(2.0)
        bench.line.monitor = None
        assert await playing
        assert voice.sample_format.sample_bytes == 1
    assert len(monitor.heard) == pytest.approx(2.0 * 8000, abs=1600)


async def test_a_monitor_stays_when_the_modem_was_opened_anew(make_bench: BenchMaker) -> None:
    bench = make_bench()
    bench.line.monitor = monitor = Monitor()
    await bench.line.open()
    await bench.line.open()
    await bench.ring_and_see()
    async with bench.line.answer() as voice:
        await voice.play([tone_clip(440, 0.5)])
    assert len(monitor.heard) == 4000
