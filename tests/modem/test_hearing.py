"""`hearing`: what a caller says goes to a speech ear while a key is awaited, and costs the key nothing."""

from __future__ import annotations

import asyncio
import random
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest

from firmware.errors import CallerGone
from firmware.events import RecordingEnd
from firmware.pcm import decode_to_s16, encode_s16
from firmware.ports import Clip, RecordLimits
from firmware.simulation.voices import babble

if TYPE_CHECKING:
    from tests.modem.conftest import BenchMaker, Sink

pytestmark = pytest.mark.fast_time

FAMILIES = ["conexant", "usr", "multitech", "agere", "silabs", "generic"]
SPEECH = babble(3.0, random.Random(21))


class Ear:
    """`ports.SpeechEar` that keeps what it hears."""

    def __init__(self) -> None:
        self.s16 = b""
        self.pieces = 0

    def hear(self, s16: bytes) -> None:
        self.s16 += s16
        self.pieces += 1


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.mark.parametrize("family", FAMILIES)
async def test_the_ear_gets_the_callers_samples_and_nothing_else(make_bench: BenchMaker, ear: Ear, family: str) -> None:
    bench = make_bench(family)
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        with voice.hearing(ear):
            waiting = asyncio.create_task(voice.take_key(5))
            await call.wait(0.5)
            await call.speak(SPEECH)
            assert await waiting is None
        heard = decode_to_s16(encode_s16(SPEECH, voice.sample_format), voice.sample_format)
        assert heard in ear.s16
        assert 4.9 * 16000 <= len(ear.s16) <= 5.1 * 16000
        assert ear.pieces <= 25 * 5 + 1
        before = len(ear.s16)
        assert await voice.take_key(1) is None
        assert len(ear.s16) == before


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("inside", [True, False], ids=["hearing", "keys alone"])
async def test_a_key_comes_as_fast_as_the_modem_tells_of_it(
    make_bench: BenchMaker, ear: Ear, family: str, inside: bool
) -> None:
    bench = make_bench(family)
    await bench.line.open()
    call = await bench.ring_and_see()
    loop = asyncio.get_running_loop()
    async with bench.line.answer() as voice:
        with voice.hearing(ear) if inside else nullcontext():
            for key in "15#":
                waiting = asyncio.create_task(voice.take_key(5))
                await call.wait(1)
                pressed = len(bench.told())
                pressing = asyncio.create_task(call.key(key))
                assert await waiting == key
                code = b"\x10" + key.encode()
                told = next(at for at, data in bench.told()[pressed:] if code in data)
                assert loop.time() - told <= 0.001
                await pressing


async def test_keys_typed_while_somebody_listens_are_all_kept(make_bench: BenchMaker, ear: Ear) -> None:
    bench = make_bench()
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        with voice.hearing(ear):
            waiting = asyncio.create_task(voice.take_key(5))
            await call.wait(0.5)
            await call.keys("11590", 0.06, 0.06)
            assert await waiting == "1"
        assert [await voice.take_key(1) for _ in range(5)] == ["1", "5", "9", "0", None]


@pytest.mark.parametrize("family", ["conexant", "usr", "silabs"])
@pytest.mark.parametrize("after_seconds", [0.0, 0.001, 0.003, 0.005, 0.0065, 0.008, 0.3, 2.0])
async def test_leaving_in_the_middle_leaves_a_healthy_line(
    make_bench: BenchMaker, ear: Ear, sink: Sink, long_prompt: Clip, family: str, after_seconds: float
) -> None:
    bench = make_bench(family)
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        with voice.hearing(ear):
            waiting = asyncio.create_task(voice.take_key(30))
            await asyncio.sleep(after_seconds)
            waiting.cancel()
            await asyncio.wait([waiting])
        heard = len(ear.s16)
        assert await voice.play([long_prompt]) is True
        take = await voice.record(sink, RecordLimits(1.0, 5, -38))
        assert take.end is RecordingEnd.TIME_LIMIT
        pressing = asyncio.create_task(call.key("8"))
        assert await voice.take_key(3) == "8"
        await pressing
        assert len(ear.s16) == heard
    assert bench.idle


async def test_words_and_keys_take_turns_through_many_questions(make_bench: BenchMaker, ear: Ear) -> None:
    bench = make_bench("usr")
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        for _ in range(10):
            with voice.hearing(ear):
                waiting = asyncio.create_task(voice.take_key(10))
                await call.wait(0.7)
                waiting.cancel()
            with voice.hearing(ear):
                again = asyncio.create_task(voice.take_key(10))
                await call.wait(0.3)
                await call.key("3", 0.06)
                assert await again == "3"
        assert await voice.take_key(0.5) is None
    assert bench.idle


async def test_a_recording_inside_is_not_for_the_speech_ear(make_bench: BenchMaker, ear: Ear, sink: Sink) -> None:
    bench = make_bench()
    await bench.line.open()
    await bench.ring_and_see()
    async with bench.line.answer() as voice:
        with voice.hearing(ear):
            await voice.record(sink, RecordLimits(1.0, 5, -38))
    assert ear.s16 == b""


async def test_a_hang_up_ends_the_listening(make_bench: BenchMaker, ear: Ear) -> None:
    bench = make_bench()
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        with voice.hearing(ear):
            waiting = asyncio.create_task(voice.take_key(60))
            await call.wait(1)
            call.hang_up()
            with pytest.raises(CallerGone):
                await waiting
    assert bench.idle
