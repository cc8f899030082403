"""One simulated line: what a caller, a modem and a cable can do to it, and that it is idle and healthy afterwards."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from firmware.errors import (
    CallerGone,
    CommandTimeout,
    LineNotAnswered,
    ModemError,
    NotAModem,
    PortError,
    PortLost,
    UnsupportedModem,
)
from firmware.events import HangUpEvidence, NumberAbsence, RecordingEnd
from firmware.modem.dialling import DialResult
from firmware.modem.options import LineOptions
from firmware.pcm import SampleFormat, decode_to_s16, encode_s16
from firmware.ports import Clip, RecordLimits
from firmware.simulation.call import CallOver
from firmware.simulation.callers import Caller
from firmware.simulation.far_end import Answers, FarEnd
from firmware.simulation.line_options import AfterHangUp, CallerIdTiming
from firmware.simulation.modem.faults import ModemFaults
from firmware.simulation.modem.outlet import Direction
from firmware.simulation.voices import babble

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from firmware.ports import VoiceLine
    from tests.modem.conftest import Bench, BenchMaker, Sink

pytestmark = pytest.mark.fast_time

VOICE_FAMILIES = ["conexant", "usr", "multitech", "agere", "generic"]


def now() -> float:
    return asyncio.get_running_loop().time()


# --- rings and caller ID ---


@pytest.mark.parametrize("timing", [CallerIdTiming.BEFORE_RING, CallerIdTiming.AFTER_FIRST_RING])
async def test_caller_id_is_read_before_and_after_the_first_ring(
    make_bench: BenchMaker, timing: CallerIdTiming
) -> None:
    bench = make_bench()
    await bench.line.open()
    await Caller(bench.exchange, "13800138000", "张三", caller_id=timing).dial("front")
    await bench.line.wait_for_ring()
    caller = await bench.line.read_caller(2)
    assert caller is not None
    assert (caller.number, caller.name) == ("13800138000", "张三")


async def test_a_withheld_number_is_told_apart_from_none(make_bench: BenchMaker) -> None:
    bench = make_bench()
    await bench.line.open()
    await bench.ring("P", "P")
    await bench.line.wait_for_ring()
    caller = await bench.line.read_caller(2)
    assert caller is not None
    assert (caller.number, caller.absence) == (None, NumberAbsence.WITHHELD)


async def test_without_caller_id_the_second_ring_is_answered(make_bench: BenchMaker) -> None:
    bench = make_bench()
    await bench.line.open()
    await bench.ring(None, None)
    await bench.line.wait_for_ring()
    started = now()
    caller = await bench.line.read_caller(2)
    assert caller is not None
    assert caller.absence is NumberAbsence.NOT_SENT
    assert now() - started == pytest.approx(5.0, abs=0.2)


async def test_answering_on_ring_one_waits_for_caller_id(make_bench: BenchMaker) -> None:
    bench = make_bench()
    await bench.line.open()
    await bench.ring(None, None)
    await bench.line.wait_for_ring()
    started = now()
    await bench.line.read_caller(1)
    assert now() - started == pytest.approx(3.5, abs=0.01)


async def test_a_caller_who_gives_up_is_noticed(make_bench: BenchMaker) -> None:
    bench = make_bench()
    await bench.line.open()
    call = await bench.ring(None, None)
    await bench.line.wait_for_ring()
    call.hang_up()
    started = now()
    assert await bench.line.read_caller(4) is None
    assert now() - started < 9
    again = asyncio.create_task(bench.line.wait_for_ring())
    await asyncio.sleep(20)
    assert not again.done()
    again.cancel()


# --- figures ---


async def test_the_line_goes_off_hook_at_once_when_the_caller_is_known(make_bench: BenchMaker) -> None:
    bench = make_bench()
    await bench.line.open()
    await bench.ring_and_see()
    known = [at for at, data in bench.told() if b"NAME" in data][-1]
    async with bench.line.answer():
        # Two commands of 2 ms each on this modem; nothing of our own may be added.
        assert bench.sent_at(b"AT+VLS=1") - known <= 0.005


async def test_the_first_word_follows_the_answer_at_once(make_bench: BenchMaker, long_prompt: Clip) -> None:
    bench = make_bench()
    await bench.line.open()
    await bench.ring_and_see()
    async with bench.line.answer() as voice:
        asked = bench.sent_at(b"AT+VLS=1")
        playing = asyncio.create_task(voice.play([long_prompt]))
        await asyncio.sleep(0.5)
        first = next(at for at, data in bench.sent() if at > asked and len(data) > 100)
        assert first - asked <= 0.02
        await playing


async def test_audio_stays_within_a_quarter_second_of_the_line(make_bench: BenchMaker, long_prompt: Clip) -> None:
    bench = make_bench()
    await bench.line.open()
    await bench.ring_and_see()
    async with bench.line.answer() as voice:
        assert await voice.play([long_prompt, long_prompt])
    blocks = [(at, len(data)) for at, data in bench.sent() if len(data) > 100]
    start, written = blocks[0][0], 0
    for at, size in blocks:
        written += size
        assert written / 8000 - (at - start) <= 0.25
    assert bench.modem.underruns == 0
    assert len(blocks) <= 110


async def test_a_key_silences_the_prompt_at_once(make_bench: BenchMaker, long_prompt: Clip) -> None:
    bench = make_bench()
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        playing = asyncio.create_task(voice.play([long_prompt]))
        await call.wait(1.03)
        await call.key("3")
        assert await playing is False
        assert voice.waiting_keys == "3"
        digit = next(at for at, data in bench.told() if data.endswith(b"\x103"))
        assert bench.sent_at(b"\x10\x18\x10\x03") - digit <= 0.001
        assert bench.modem.buffered_samples == 0
        discarded = [at for at, direction, _ in bench.traffic if direction is Direction.DISCARDED]
        assert digit in discarded


# --- keys ---


async def test_a_waiting_key_stops_a_prompt_before_its_first_sample(make_bench: BenchMaker, long_prompt: Clip) -> None:
    bench = make_bench()
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        await call.key("4")
        await call.wait(0.2)
        assert await voice.play([long_prompt]) is False
        assert not [data for _, data in bench.sent() if b"+VTX" in data]
        assert await voice.play([long_prompt], barge_in=False) is True
        assert await voice.take_key(0) == "4"


@pytest.mark.parametrize("family", VOICE_FAMILIES)
async def test_keys_typed_ahead_are_kept_in_order(make_bench: BenchMaker, long_prompt: Clip, family: str) -> None:
    bench = make_bench(family)
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        playing = asyncio.create_task(voice.play([long_prompt], barge_in=False))
        await call.wait(0.5)
        await call.keys("1590#")
        assert await playing is True
        assert [await voice.take_key(1) for _ in range(6)] == ["1", "5", "9", "0", "#", None]
        await call.keys("77")
        voice.forget_keys()
        assert voice.waiting_keys == ""


@pytest.mark.parametrize("family", VOICE_FAMILIES)
async def test_nobody_keys_anything(make_bench: BenchMaker, family: str) -> None:
    bench = make_bench(family)
    await bench.line.open()
    await bench.ring_and_see()
    async with bench.line.answer() as voice:
        started = now()
        assert await voice.take_key(5) is None
        assert now() - started == pytest.approx(5, abs=0.3)


async def test_codes_nobody_knows_are_counted_and_nothing_else(make_bench: BenchMaker) -> None:
    bench = make_bench()
    await bench.line.open()
    await bench.ring_and_see()
    async with bench.line.answer() as voice:
        for code in range(256):
            if chr(code) not in "0123456789*#ABCDbdhlqsRX\x10\x1a":
                voice.state.dle_code(code)
        assert voice.waiting_keys == ""
        assert voice.state.unknown_codes > 180
        assert await voice.take_key(0.1) is None


# --- recordings ---


@pytest.mark.parametrize("family", VOICE_FAMILIES)
async def test_a_recording_is_what_the_caller_said(
    make_bench: BenchMaker, sink: Sink, limits: RecordLimits, family: str
) -> None:
    bench = make_bench(family)
    await bench.line.open()
    call = await bench.ring_and_see()
    speech = babble(3, random.Random(5))
    async with bench.line.answer() as voice:
        recording = asyncio.create_task(voice.record(sink, limits))
        await call.wait(1)
        await call.speak(speech)
        take = await recording
        heard = decode_to_s16(bytes(sink.data), voice.sample_format)
    assert take.end is RecordingEnd.SILENCE
    assert _contains(heard, speech, voice.sample_format)
    assert take.kept_samples == pytest.approx(8000 * 4.3, abs=4000)
    assert take.voiced


def _contains(heard: bytes, speech: bytes, sample_format: SampleFormat) -> bool:
    """Whether the middle of the speech is there, sample for sample as this format writes it."""
    middle = decode_to_s16(encode_s16(speech[8000:40000], sample_format), sample_format)
    return middle in heard


async def test_a_key_ends_a_recording_before_its_sound(
    make_bench: BenchMaker, sink: Sink, limits: RecordLimits
) -> None:
    bench = make_bench()
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        recording = asyncio.create_task(voice.record(sink, limits))
        await call.speak(babble(2, random.Random(6)))
        await call.key("5")
        await call.wait(0.1)
        await call.key("#", 0.3)
        take = await recording
        assert take.end is RecordingEnd.KEY
        assert voice.waiting_keys == ""
        kept = bytes(sink.data)[: take.kept_samples]
        assert take.kept_samples >= 8000 * 2
        # A DTMF tone is loud; the last kept 40 ms are not.
        assert max(abs(code - 128) for code in kept[-320:]) < 40


async def test_silence_alone_is_no_message(make_bench: BenchMaker, sink: Sink, limits: RecordLimits) -> None:
    bench = make_bench()
    await bench.line.open()
    await bench.ring_and_see()
    async with bench.line.answer() as voice:
        take = await voice.record(sink, limits)
    assert (take.end, take.voiced) == (RecordingEnd.SILENCE, False)


async def test_a_recording_ends_at_its_time_limit(make_bench: BenchMaker, sink: Sink) -> None:
    bench = make_bench()
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        recording = asyncio.create_task(voice.record(sink, RecordLimits(2, 5, -38)))
        await call.speak(babble(5, random.Random(7)))
        take = await recording
    assert take.end is RecordingEnd.TIME_LIMIT
    assert take.total_samples == pytest.approx(16000, abs=2000)


# --- hang-up by the far end ---


@pytest.mark.parametrize(
    ("family", "way", "evidence"),
    [
        ("conexant", AfterHangUp.BUSY_TONE, HangUpEvidence.BUSY_TONE),
        ("conexant", AfterHangUp.DIAL_TONE, HangUpEvidence.DIAL_TONE),
        ("conexant", AfterHangUp.LOOP_BREAK, HangUpEvidence.LOOP_BREAK),
        ("usr", AfterHangUp.BUSY_TONE, HangUpEvidence.BUSY_TONE),
        ("usr", AfterHangUp.LOOP_BREAK, HangUpEvidence.LOOP_BREAK),
        ("multitech", AfterHangUp.BUSY_TONE, HangUpEvidence.BUSY_TONE),
        ("agere", AfterHangUp.BUSY_TONE, HangUpEvidence.BUSY_TONE),
        ("silabs", AfterHangUp.BUSY_TONE, HangUpEvidence.BUSY_TONE),
        ("silabs", AfterHangUp.DIAL_TONE, HangUpEvidence.DIAL_TONE),
    ],
)
async def test_a_hang_up_ends_a_recording_and_its_tone_is_cut(
    make_bench: BenchMaker, sink: Sink, limits: RecordLimits, family: str, way: AfterHangUp, evidence: HangUpEvidence
) -> None:
    bench = make_bench(family)
    await bench.line.open()
    call = await Caller(bench.exchange, "13800138000", after_hang_up=way).dial("front")
    await bench.line.wait_for_ring()
    await bench.line.read_caller(2)
    async with bench.line.answer() as voice:
        recording = asyncio.create_task(voice.record(sink, limits))
        await call.speak(babble(3, random.Random(8)))
        call.hang_up()
        take = await recording
        assert (take.end, take.evidence) == (RecordingEnd.HANG_UP, evidence)
        assert take.voiced
        assert take.kept_samples == pytest.approx(3 * 8000, abs=8000)
        with pytest.raises(CallerGone):
            await voice.beep()
    assert bench.idle


@pytest.mark.parametrize("family", VOICE_FAMILIES)
async def test_a_hang_up_ends_waiting_for_keys(make_bench: BenchMaker, family: str) -> None:
    bench = make_bench(family)
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        call.hang_up()
        with pytest.raises(CallerGone):
            await voice.take_key(30)
    assert bench.idle


async def test_a_hang_up_ends_a_prompt(make_bench: BenchMaker, long_prompt: Clip) -> None:
    bench = make_bench()
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        call.hang_up()
        with pytest.raises(CallerGone):
            await voice.play([long_prompt] * 6)
    assert bench.idle


# --- off hook, on hook ---


async def test_a_line_that_rings_on_is_answered_again(make_bench: BenchMaker, long_prompt: Clip) -> None:
    bench = make_bench("conexant", ModemFaults(vls_stays_on_hook=True))
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        assert await voice.take_key(8) is None
        assert await voice.play([long_prompt])
        assert call.is_connected
    assert bench.idle


async def test_a_modem_that_hides_such_rings_is_answered_better_the_next_time(
    make_bench: BenchMaker, long_prompt: Clip
) -> None:
    bench = make_bench("usr", ModemFaults(vls_stays_on_hook=True))
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        await voice.play([long_prompt])
        assert not call.is_connected
    await bench.line.wait_for_ring()
    async with bench.line.answer() as voice:
        assert await voice.play([long_prompt])
        assert call.is_connected
    assert bench.idle


async def test_the_line_is_on_hook_after_an_error_inside(make_bench: BenchMaker) -> None:
    bench = make_bench()
    await bench.line.open()
    await bench.ring_and_see()
    with pytest.raises(ZeroDivisionError):
        async with bench.line.answer():
            raise ZeroDivisionError
    assert bench.idle


@pytest.mark.parametrize("after_seconds", [0.0, 0.001, 0.003, 0.005, 0.0065, 0.008, 0.3, 2.0])
@pytest.mark.parametrize("doing", ["play", "record", "take_key", "beep"])
@pytest.mark.parametrize("family", ["conexant", "usr"])
async def test_a_cancelled_call_ends_on_hook_and_the_next_one_works(
    make_bench: BenchMaker,
    sink: Sink,
    limits: RecordLimits,
    long_prompt: Clip,
    doing: str,
    after_seconds: float,
    family: str,
) -> None:
    bench = make_bench(family)
    await bench.line.open()
    call = await bench.ring_and_see()
    doings: dict[str, Callable[[VoiceLine], Coroutine[object, object, object]]] = {
        "play": lambda voice: voice.play([long_prompt]),
        "record": lambda voice: voice.record(sink, limits),
        "take_key": lambda voice: voice.take_key(20),
        "beep": lambda voice: voice.beep(1000, 2.0),
    }

    async def talk() -> None:
        async with bench.line.answer() as voice:
            await doings[doing](voice)

    talking = asyncio.create_task(talk())
    await asyncio.sleep(after_seconds)
    talking.cancel()
    await asyncio.wait([talking])
    assert bench.idle
    call.hang_up()
    await asyncio.sleep(60)
    await bench.ring_and_see()
    async with bench.line.answer() as voice:
        assert await voice.play([long_prompt])
    assert bench.idle


async def test_a_timed_out_prompt_leaves_a_line_that_works(make_bench: BenchMaker, long_prompt: Clip) -> None:
    bench = make_bench()
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await voice.play([long_prompt])
        await call.key("8")
        assert await voice.take_key(1) == "8"
        assert await voice.play([long_prompt])


# --- loss and recovery ---


async def test_an_unplugged_modem_is_noticed_at_once(make_bench: BenchMaker) -> None:
    bench = make_bench()
    await bench.line.open()
    waiting = asyncio.create_task(bench.line.wait_for_ring())
    await asyncio.sleep(3)
    bench.modem.unplug()
    started = now()
    with pytest.raises(PortLost):
        await waiting
    assert now() - started < 0.1
    bench.modem.plug_in()
    await bench.line.open()
    await bench.ring_and_see()


async def test_a_hung_modem_is_noticed_within_ten_seconds(make_bench: BenchMaker) -> None:
    bench = make_bench()
    await bench.line.open()
    waiting = asyncio.create_task(bench.line.wait_for_ring())
    await asyncio.sleep(7.5)
    assert bench.line.last_proved_alive == pytest.approx(now(), abs=1)
    bench.modem.hang()
    started = now()
    with pytest.raises(CommandTimeout):
        await waiting
    assert now() - started <= 10


async def test_an_idle_line_stays_idle(make_bench: BenchMaker) -> None:
    bench = make_bench()
    await bench.line.open()
    waiting = asyncio.create_task(bench.line.wait_for_ring())
    await asyncio.sleep(6 * 3600)
    assert not waiting.done()
    await bench.ring()
    await waiting


@pytest.mark.parametrize("byte", [*range(1, 900, 53), 2000, 5000, 9000, 20000, 40000])
async def test_a_brown_out_at_any_byte_is_told_and_survived(
    make_bench: BenchMaker, sink: Sink, limits: RecordLimits, long_prompt: Clip, byte: int
) -> None:
    bench = make_bench("usr", ModemFaults(brown_out_after_bytes=byte))
    with pytest.raises((PortError, ModemError, CallerGone)):
        await _one_call(bench, sink, limits, long_prompt)
    await asyncio.sleep(60)
    await _one_call(bench, sink, limits, long_prompt)
    assert bench.idle


async def _one_call(bench: Bench, sink: Sink, limits: RecordLimits, prompt: Clip) -> None:
    await bench.line.open()
    async with asyncio.timeout(300):
        call = await bench.ring_and_see()
        async with bench.line.answer() as voice:
            await voice.play([prompt])
            await voice.record(sink, limits)
        call.hang_up()


@pytest.mark.parametrize("stage", ["idle", "playing", "recording", "listening"])
async def test_a_modem_that_hangs_under_a_call_is_told(
    make_bench: BenchMaker, sink: Sink, limits: RecordLimits, long_prompt: Clip, stage: str
) -> None:
    bench = make_bench("usr")
    await bench.line.open()
    await bench.ring_and_see()
    asyncio.get_running_loop().call_later(1.5, bench.modem.hang)
    started = now()
    doings: dict[str, Callable[[VoiceLine], Coroutine[object, object, object]]] = {
        "idle": lambda _: asyncio.sleep(2),
        "playing": lambda voice: voice.play([long_prompt]),
        "recording": lambda voice: voice.record(sink, limits),
        "listening": lambda voice: voice.take_key(10),
    }

    async def talk() -> None:
        async with bench.line.answer() as voice:
            await doings[stage](voice)

    with pytest.raises(ModemError):
        await talk()
    assert now() - started < 60


@pytest.mark.parametrize("command", ["AT+VTX", "AT+VRX", "AT+VTR"])
@pytest.mark.parametrize("triple", [False, True])
async def test_a_modem_left_in_voice_data_is_opened(make_bench: BenchMaker, command: str, triple: bool) -> None:
    bench = make_bench("conexant", ModemFaults(needs_triple_dle=triple))
    wire = await bench.wire.opener()
    for text in ("AT+FCLASS=8", "AT+VLS=1", "AT+VSM=1,8000,0,0", command):
        wire.write(text.encode() + b"\r")
        await asyncio.sleep(0.1)
    assert bench.modem.off_hook
    await wire.close()
    await bench.line.open()
    assert bench.idle
    await bench.ring_and_see()


@pytest.mark.parametrize("family", VOICE_FAMILIES)
async def test_a_modem_that_answers_behind_its_results_is_understood(make_bench: BenchMaker, family: str) -> None:
    bench = make_bench(family, ModemFaults(results_before_information=True))
    await bench.line.open()
    assert bench.line.identity.profile == family
    await bench.ring_and_see()


async def test_reset_brings_a_modem_back_from_anything(make_bench: BenchMaker, long_prompt: Clip) -> None:
    bench = make_bench()
    await bench.line.open()
    await bench.line.reset()
    await bench.ring_and_see()
    async with bench.line.answer() as voice:
        assert await voice.play([long_prompt])


# --- what is no modem for us ---


async def test_an_old_modem_is_refused_with_the_reason(make_bench: BenchMaker) -> None:
    with pytest.raises(UnsupportedModem, match="#V"):
        await make_bench("rockwell").line.open()


async def test_a_softmodem_is_refused_with_the_reason(make_bench: BenchMaker) -> None:
    with pytest.raises(UnsupportedModem, match="no voice mode"):
        await make_bench("softmodem").line.open()


async def test_a_dead_port_is_no_modem(make_bench: BenchMaker) -> None:
    bench = make_bench("conexant", ModemFaults(hangs_after_commands=0))
    with pytest.raises(NotAModem, match="/dev/bench"):
        await bench.line.open()


async def test_a_profile_that_does_not_exist_names_the_others(make_bench: BenchMaker) -> None:
    with pytest.raises(UnsupportedModem, match="conexant"):
        await make_bench("conexant", options=LineOptions(profile="conexnat")).line.open()


async def test_an_unknown_country_is_remembered_and_carried(make_bench: BenchMaker) -> None:
    bench = make_bench("conexant", ModemFaults(commands_refused=("+GCI",)))
    await bench.line.open()
    assert bench.line.country_set is False


# --- dialling, flash, duplex ---


@pytest.mark.parametrize(
    ("answers", "result"),
    [
        (Answers.ANSWER, DialResult.ANSWERED),
        (Answers.BUSY, DialResult.BUSY),
    ],
)
@pytest.mark.parametrize("family", ["conexant", "usr", "multitech"])
async def test_a_dialled_call_tells_what_came_of_it(
    make_bench: BenchMaker, family: str, answers: Answers, result: DialResult
) -> None:
    bench = make_bench(family)
    bench.exchange.register("10086", FarEnd(answers))
    await bench.line.open()
    async with bench.line.dial("10086") as dialled:
        assert dialled.result is result
        assert (dialled.voice is not None) == (result is DialResult.ANSWERED)
    assert bench.idle


async def test_nothing_is_sent_between_a_dial_command_and_its_result(make_bench: BenchMaker) -> None:
    bench = make_bench()
    bench.exchange.register("10086", FarEnd(Answers.ANSWER))
    await bench.line.open()
    async with bench.line.dial("10086"):
        commands = [data for _, data in bench.sent()]
        dial = next(number for number, data in enumerate(commands) if data.startswith(b"ATDT"))
        result = next(at for at, data in bench.told() if b"VCON" in data)
        assert all(at >= result for at, _ in bench.sent()[dial + 1 :])


@pytest.mark.parametrize("number", ["", "12;34", "+86", "1W2", "12\r", "１２", "1" * 41, "@", "!"])
async def test_only_plain_digits_are_ever_dialled(make_bench: BenchMaker, number: str) -> None:
    bench = make_bench()
    await bench.line.open()
    with pytest.raises(ValueError, match="number to dial"):
        async with bench.line.dial(number):
            pass
    assert not [data for _, data in bench.sent() if data.startswith(b"ATD")]


async def test_a_hook_flash_reaches_the_exchange(make_bench: BenchMaker) -> None:
    bench = make_bench()
    await bench.line.open()
    await bench.ring_and_see()
    async with bench.line.answer() as voice:
        await voice.flash()
        assert [data for _, data in bench.sent() if data == b"AT+VTS=!\r"]


@pytest.mark.parametrize("family", VOICE_FAMILIES)
async def test_the_caller_hears_the_beep(make_bench: BenchMaker, family: str) -> None:
    bench = make_bench(family)
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        hearing = asyncio.create_task(call.heard_beep(5))
        await voice.beep()
        assert await hearing


async def test_a_modem_without_tones_plays_the_beep(make_bench: BenchMaker) -> None:
    bench = make_bench("conexant", ModemFaults(commands_refused=("+VTS",)))
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        hearing = asyncio.create_task(call.heard_beep(5))
        await voice.beep()
        assert await hearing


async def test_duplex_speaks_and_records_at_once(
    make_bench: BenchMaker, sink: Sink, limits: RecordLimits, long_prompt: Clip
) -> None:
    bench = make_bench("conexant")
    await bench.line.open()
    call = await bench.ring_and_see()
    async with bench.line.answer() as voice:
        duplex = asyncio.create_task(voice.duplex([long_prompt], sink, limits))
        assert await call.heard_speech(5)
        await call.speak(babble(2, random.Random(9)))
        take = await duplex
    assert take.end is RecordingEnd.TIME_LIMIT
    assert take.total_samples == pytest.approx(5 * 8000, abs=4000)


async def test_duplex_is_refused_where_the_chipset_has_none(
    make_bench: BenchMaker, sink: Sink, limits: RecordLimits
) -> None:
    bench = make_bench("usr")
    await bench.line.open()
    await bench.ring_and_see()
    async with bench.line.answer() as voice:
        with pytest.raises(UnsupportedModem):
            await voice.duplex([], sink, limits)


async def test_a_line_that_cannot_be_answered_says_so(make_bench: BenchMaker) -> None:
    bench = make_bench("conexant", ModemFaults(commands_refused=("+VLS=1", "A")))
    await bench.line.open()
    await bench.ring_and_see()
    with pytest.raises(LineNotAnswered):
        async with bench.line.answer():
            pass


async def test_many_calls_leave_nothing_behind(make_bench: BenchMaker, sink: Sink, long_prompt: Clip) -> None:
    bench = make_bench()
    await bench.line.open()
    tasks = len(asyncio.all_tasks())
    for _ in range(50):
        call = await bench.ring_and_see()
        try:
            async with bench.line.answer() as voice:
                await voice.play([long_prompt])
                call.hang_up()
                await voice.take_key(30)
        except (CallerGone, CallOver):
            pass
        await asyncio.sleep(45)
    assert len(asyncio.all_tasks()) == tasks
    assert bench.idle
