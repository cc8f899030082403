"""Ears on a simulated line: keys and tones found in its sound, beside what the modem tells."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from firmware.audio.line_ear import ear_maker
from firmware.errors import CallerGone
from firmware.events import HangUpEvidence, KeyHeard, LineTone, RecordingEnd, Sound, ToneHeard
from firmware.modem.options import LineOptions
from firmware.ports import RecordLimits, ToneEarMaker
from firmware.simulation.callers import Caller
from firmware.simulation.line_options import AfterHangUp
from firmware.simulation.modem.faults import ModemFaults
from firmware.simulation.voices import babble
from firmware.units import SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.modem.conftest import Bench, BenchMaker, Sink

pytestmark = pytest.mark.fast_time

SPEECH = babble(3.0, random.Random(8))
_BEFORE_NOW_SAMPLES = 800


class PromptedEar:
    """`ports.ToneEar` that hears what the test says, and counts what it is given."""

    def __init__(self) -> None:
        self.samples = 0
        self.pieces = 0
        self._sounds: list[Sound] = []

    def hear(self, s16: bytes) -> Sequence[Sound]:
        assert len(s16) % 2 == 0
        self.samples += len(s16) // 2
        self.pieces += 1
        sounds, self._sounds = self._sounds, []
        return sounds

    def find_key(self, key: str, before_now_samples: int = _BEFORE_NOW_SAMPLES) -> int:
        """A key that began so long ago; returns where."""
        began = max(0, self.samples - before_now_samples)
        self._sounds.append(KeyHeard(key, began))
        return began

    def find_tone(self, tone: LineTone, began_at_samples: int) -> None:
        self._sounds.append(ToneHeard(tone, began_at_samples))


class Ears:
    """`ports.ToneEarMaker` that keeps what it made."""

    def __init__(self) -> None:
        self.made: list[PromptedEar] = []

    def __call__(self) -> PromptedEar:
        self.made.append(PromptedEar())
        return self.made[-1]

    @property
    def last(self) -> PromptedEar:
        return self.made[-1]


@pytest.fixture
def ears() -> Ears:
    return Ears()


def with_ears(make_bench: BenchMaker, ears: Ears, family: str = "usr", faults: ModemFaults | None = None) -> Bench:
    return make_bench(family, faults, options=LineOptions(ear=ears))


# --- keys ---


async def test_a_key_that_only_the_ear_finds_is_taken(make_bench: BenchMaker, ears: Ears) -> None:
    bench = with_ears(make_bench, ears)
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        waiting = asyncio.create_task(voice.take_key(5))
        await call.wait(1)
        ears.last.find_key("7")
        assert await waiting == "7"


@pytest.mark.parametrize("ear_is_late_seconds", [-0.05, 0.02, 0.2])
@pytest.mark.parametrize("faults", [ModemFaults(), ModemFaults(single_code_dtmf=True)], ids=["repeated", "single"])
async def test_what_both_notice_is_one_key_whoever_comes_first(
    make_bench: BenchMaker, ears: Ears, faults: ModemFaults, ear_is_late_seconds: float
) -> None:
    bench = with_ears(make_bench, ears, faults=faults)
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        waiting = asyncio.create_task(voice.take_key(5))
        await call.wait(1)
        ear = ears.last
        for _ in range(2):
            asyncio.get_running_loop().call_later(0.06 + ear_is_late_seconds, ear.find_key, "1", 400)
            await call.key("1", 0.1)
            await call.wait(0.08)
        await call.wait(1)
        assert (await waiting, await voice.take_key(0), await voice.take_key(1)) == ("1", "1", None)


async def test_one_ear_listens_from_key_to_key_and_a_held_key_is_one(make_bench: BenchMaker, ears: Ears) -> None:
    bench = with_ears(make_bench, ears)
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        pressing = asyncio.create_task(call.key("4", 1.5))
        assert await voice.take_key(5) == "4"
        assert await voice.take_key(0.1) is None
        ears.last.find_key("4", 400)
        assert await voice.take_key(0.4) is None
        assert len(ears.made) == 1
        await voice.beep()
        assert await voice.take_key(0.4) is None
        assert len(ears.made) == 2
        # Still down since before this ear listened.
        ears.last.find_key("4", SAMPLE_RATE_HZ)
        assert await voice.take_key(0.5) is None
        await pressing


async def test_an_end_key_found_in_the_sound_is_cut_off_where_it_began(
    make_bench: BenchMaker, ears: Ears, sink: Sink, limits: RecordLimits
) -> None:
    bench = with_ears(make_bench, ears)
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        recording = asyncio.create_task(voice.record(sink, limits))
        speaking = asyncio.create_task(call.speak(SPEECH))
        await call.wait(1.5)
        ears.last.find_key("5")
        await call.wait(0.5)
        began = ears.last.find_key("#", 1234)
        take = await recording
        assert voice.waiting_keys == ""
        await speaking
    assert (take.end, take.kept_samples) == (RecordingEnd.KEY, began)
    assert take.total_samples == len(sink.data)


async def test_where_the_modem_is_first_the_ear_still_tells_where_the_key_began(
    make_bench: BenchMaker, ears: Ears, sink: Sink, limits: RecordLimits
) -> None:
    bench = with_ears(make_bench, ears, faults=ModemFaults(single_code_dtmf=True))
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        recording = asyncio.create_task(voice.record(sink, limits))
        speaking = asyncio.create_task(call.speak(SPEECH))
        await call.wait(2)
        codes = len([data for _, data in bench.told() if data == b"\x10#"])
        pressing = asyncio.create_task(call.key("#", 0.3))
        while len([data for _, data in bench.told() if data == b"\x10#"]) == codes:
            await asyncio.sleep(0.001)
        began = ears.last.find_key("#", 2000)
        take = await recording
        await asyncio.gather(speaking, pressing)
        assert voice.waiting_keys == ""
    assert (take.end, take.kept_samples) == (RecordingEnd.KEY, began)


# --- tones ---


@pytest.mark.parametrize(
    ("tone", "evidence"),
    [
        (LineTone.BUSY, HangUpEvidence.BUSY_TONE),
        (LineTone.CONGESTION, HangUpEvidence.CONGESTION_TONE),
        (LineTone.DIAL, HangUpEvidence.DIAL_TONE),
    ],
)
async def test_a_tone_found_in_a_recording_is_a_hang_up_and_is_cut_off(
    make_bench: BenchMaker,
    ears: Ears,
    sink: Sink,
    limits: RecordLimits,
    tone: LineTone,
    evidence: HangUpEvidence,
) -> None:
    bench = with_ears(make_bench, ears)
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        recording = asyncio.create_task(voice.record(sink, limits))
        await call.speak(SPEECH)
        await call.wait(2)
        ears.last.find_tone(LineTone.RINGBACK, 100)
        await call.wait(0.5)
        assert not recording.done()
        began = ears.last.samples - SAMPLE_RATE_HZ
        ears.last.find_tone(tone, began)
        take = await recording
        with pytest.raises(CallerGone, match=evidence.value):
            await voice.beep()
    assert (take.end, take.evidence) == (RecordingEnd.HANG_UP, evidence)
    # A breath of the silence between the voice and the tone stays.
    assert 2.9 * SAMPLE_RATE_HZ < take.kept_samples < 3.6 * SAMPLE_RATE_HZ < began
    assert take.total_samples == len(sink.data)
    assert bench.idle


async def test_a_tone_right_behind_the_voice_is_cut_at_its_first_burst(
    make_bench: BenchMaker, ears: Ears, sink: Sink, limits: RecordLimits
) -> None:
    bench = with_ears(make_bench, ears)
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        recording = asyncio.create_task(voice.record(sink, limits))
        speaking = asyncio.create_task(call.speak(SPEECH))
        await call.wait(2.5)
        ears.last.find_tone(LineTone.BUSY, SAMPLE_RATE_HZ)
        take = await recording
        await asyncio.gather(speaking, return_exceptions=True)
    assert (take.evidence, take.kept_samples) == (HangUpEvidence.BUSY_TONE, SAMPLE_RATE_HZ)


async def test_a_tone_found_while_a_key_is_awaited_ends_the_call(make_bench: BenchMaker, ears: Ears) -> None:
    bench = with_ears(make_bench, ears)
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        waiting = asyncio.create_task(voice.take_key(30))
        await call.wait(1)
        ears.last.find_tone(LineTone.RINGBACK, 0)
        await call.wait(1)
        assert not waiting.done()
        ears.last.find_tone(LineTone.DIAL, 0)
        with pytest.raises(CallerGone, match="dial_tone"):
            await waiting
    assert bench.idle


async def test_an_ear_that_hears_nothing_leaves_the_modem_and_the_levels_to_judge(
    make_bench: BenchMaker, ears: Ears, sink: Sink, limits: RecordLimits
) -> None:
    bench = with_ears(make_bench, ears)
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        recording = asyncio.create_task(voice.record(sink, limits))
        await call.speak(SPEECH)
        call.hang_up()
        take = await recording
    assert (take.end, take.evidence) == (RecordingEnd.HANG_UP, HangUpEvidence.BUSY_TONE)
    assert take.kept_samples == pytest.approx(3 * SAMPLE_RATE_HZ, abs=SAMPLE_RATE_HZ)


# --- what the ear is given ---


@pytest.mark.parametrize("family", ["conexant", "agere"])
@pytest.mark.parametrize("burst_bytes", [4096, 7])
async def test_a_fresh_ear_hears_every_sample_of_each_recording(
    make_bench: BenchMaker, ears: Ears, sink: Sink, family: str, burst_bytes: int
) -> None:
    faults = ModemFaults(hold_output_seconds=0.0005, burst_bytes=burst_bytes)
    bench = with_ears(make_bench, ears, family, faults)
    await bench.line.open()
    await bench.ring_and_see()
    async with bench.line.answer() as voice:
        for _ in range(2):
            sink.data.clear()
            take = await voice.record(sink, RecordLimits(2.0, 5, -38))
            assert ears.last.samples == take.total_samples
            assert len(sink.data) == take.total_samples * voice.sample_format.sample_bytes
            assert ears.last.pieces <= 60
    assert len(ears.made) == 2


# --- with the real ear ---


def real_ears(country: str = "CN") -> ToneEarMaker:
    maker = ear_maker(country)
    if maker is None:
        pytest.skip("libspandsp2 is not installed; the tests above do the same with an ear that is told what it hears")
    return maker


def deafen(bench: Bench) -> None:
    """A modem that tells of nothing that it hears."""
    session = bench.line._session
    assert session is not None
    session.ears.dle_code = lambda code: None  # type: ignore[method-assign]


@pytest.mark.parametrize("deaf", [True, False], ids=["modem tells nothing", "modem tells too"])
@pytest.mark.parametrize("family", ["usr", "agere", "generic"])
async def test_real_keys_count_once_each_and_in_order(make_bench: BenchMaker, family: str, deaf: bool) -> None:
    bench = make_bench(family, options=LineOptions(ear=real_ears()))
    await bench.line.open()
    call = await bench.ring_and_see()
    if deaf:
        deafen(bench)
    pressed = "1190#00*55"
    async with bench.line.answer() as voice:
        waiting = asyncio.create_task(voice.take_key(3))
        await call.wait(0.5)
        typing = asyncio.create_task(call.keys(pressed, 0.08, 0.08))
        keys = [await waiting]
        while keys[-1] is not None:
            keys.append(await voice.take_key(1))
        await typing
    assert keys == [*pressed, None]


async def test_a_real_end_key_leaves_no_sound_behind_on_a_modem_that_tells_of_none(
    make_bench: BenchMaker, sink: Sink, limits: RecordLimits
) -> None:
    bench = make_bench("usr", options=LineOptions(ear=real_ears()))
    await bench.line.open()
    call = await bench.ring_and_see()
    deafen(bench)
    async with bench.line.answer() as voice:
        recording = asyncio.create_task(voice.record(sink, limits))
        await call.speak(SPEECH)
        await call.key("5")
        await call.wait(0.2)
        at_samples = 8000 * 3.3
        pressing = asyncio.create_task(call.key("#", 0.3))
        take = await recording
        await asyncio.gather(pressing, return_exceptions=True)
        assert take.end is RecordingEnd.KEY
        assert take.kept_samples == pytest.approx(at_samples, abs=500)
        # A DTMF tone is loud; the last kept 40 ms are not.
        assert max(abs(code - 128) for code in bytes(sink.data)[: take.kept_samples][-320:]) < 40


@pytest.mark.parametrize(
    ("way", "evidence"),
    [(AfterHangUp.BUSY_TONE, HangUpEvidence.BUSY_TONE), (AfterHangUp.DIAL_TONE, HangUpEvidence.DIAL_TONE)],
)
@pytest.mark.parametrize("deaf", [True, False], ids=["modem tells nothing", "modem tells too"])
async def test_a_real_tone_is_a_hang_up_and_is_cut_off(
    make_bench: BenchMaker, sink: Sink, limits: RecordLimits, way: AfterHangUp, evidence: HangUpEvidence, deaf: bool
) -> None:
    bench = make_bench("usr", options=LineOptions(ear=real_ears()))
    await bench.line.open()
    call = await Caller(bench.exchange, "13800138000", after_hang_up=way).dial("front")
    await bench.line.wait_for_ring()
    await bench.line.read_caller(2)
    if deaf:
        deafen(bench)
    async with bench.line.answer() as voice:
        recording = asyncio.create_task(voice.record(sink, limits))
        await call.speak(SPEECH)
        call.hang_up()
        began = asyncio.get_running_loop().time()
        take = await recording
        assert asyncio.get_running_loop().time() - began <= 4.5
    assert (take.end, take.evidence) == (RecordingEnd.HANG_UP, evidence)
    assert take.kept_samples == pytest.approx(3.1 * SAMPLE_RATE_HZ, abs=0.35 * SAMPLE_RATE_HZ)
    assert bench.idle


async def test_a_real_tone_ends_the_wait_for_a_key_on_a_modem_that_tells_of_none(make_bench: BenchMaker) -> None:
    bench = make_bench("generic", options=LineOptions(ear=real_ears()))
    await bench.line.open()
    call = await bench.ring_and_see()
    deafen(bench)
    async with bench.line.answer() as voice:
        call.hang_up()
        with pytest.raises(CallerGone, match="tone"):
            await voice.take_key(30)
    assert bench.idle
