from __future__ import annotations

import asyncio
import random

import pytest

from firmware.pcm import SampleFormat, decode_to_s16, encode_s16
from firmware.simulation.exchange_events import Happening
from firmware.simulation.loop import ToneKind
from firmware.simulation.modem.faults import ModemFaults
from firmware.simulation.modem.shielding import shielded
from firmware.simulation.synthesis import tone
from firmware.simulation.terminal import Desk

pytestmark = pytest.mark.fast_time

END = b"\x10\x03\r\nOK\r\n"


def unshielded(data: bytes) -> bytes:
    return data.replace(b"\x10\x10", b"\x10")


@pytest.mark.parametrize(
    ("profile", "cml", "sample_format"),
    [
        ("conexant", 1, SampleFormat.U8),
        ("conexant", 0, SampleFormat.S8),
        ("usr", 129, SampleFormat.S16),
        ("usr", 130, SampleFormat.ALAW),
        ("agere", 131, SampleFormat.ULAW),
    ],
)
@pytest.mark.parametrize("stop", [b"\x10!", b"\x10\x1b"])
async def test_what_the_caller_says_arrives_sample_for_sample(
    profile: str, cml: int, sample_format: SampleFormat, stop: bytes
) -> None:
    # Coded once more: the companding laws have two codes for zero.
    noise = encode_s16(decode_to_s16(random.Random(3).randbytes(8000), sample_format), sample_format)
    async with Desk(profile) as desk:
        call = await desk.call()
        assert await desk.type(f"AT+VSM={cml},8000,0,0") == ["OK"]
        desk.terminal.write(b"AT+VRX\r")
        await asyncio.sleep(0.05)
        speaking = asyncio.create_task(call.speak(decode_to_s16(noise, sample_format)))
        await asyncio.sleep(1.5)
        desk.terminal.write(stop)
        await asyncio.sleep(0.1)
        got = desk.terminal.take()
        assert got.startswith(b"\r\nCONNECT\r\n")
        assert got.endswith(END)
        assert shielded(noise) in got
        await speaking


async def test_audio_comes_as_fast_as_the_line_brings_it() -> None:
    async with Desk() as desk:
        await desk.call()
        desk.terminal.write(b"AT+VRX\r")
        await asyncio.sleep(5)
        assert 8000 * 4.8 <= len(desk.terminal.take()) <= 8000 * 5


async def test_busy_is_told_behind_the_audio_before_it_and_repeated() -> None:
    async with Desk() as desk:
        call = await desk.call()
        await desk.type("AT+VRX")
        call.hang_up()
        await asyncio.sleep(7.0)
        assert unshielded(desk.terminal.take()).count(b"\x10b") == 2


async def test_an_abort_that_crosses_the_modems_own_end_spoils_the_next_line() -> None:
    async with Desk(faults=ModemFaults(record_end_crosses_abort=True)) as desk:
        await desk.call()
        await desk.type("AT+VRX")
        desk.terminal.write(b"\x10!")
        await asyncio.sleep(0.1)
        assert desk.terminal.take().endswith(END)
        assert await desk.type("AT+VLS=0", "AT+VLS=0") == ["ERROR", "OK"]


async def test_a_second_abort_behind_the_first_spoils_the_next_line_too() -> None:
    async with Desk() as desk:
        await desk.call()
        await desk.type("AT+VRX")
        desk.terminal.write(b"\x10!")
        await asyncio.sleep(0.1)
        desk.terminal.write(b"\x10!")
        assert await desk.type("AT+VLS=0", "AT+VLS=0") == ["ERROR", "OK"]


async def test_some_modems_end_a_recording_by_themselves() -> None:
    async with Desk("multitech", ModemFaults(ends_recording_itself=True)) as desk:
        call = await desk.call()
        await desk.type("AT+VRX")
        call.hang_up()
        await asyncio.sleep(3)
        assert desk.terminal.take().endswith(b"\x10b" + END)
        assert desk.modem.state.value == "offhook_cmd"


async def test_an_abort_may_lose_what_was_not_sent() -> None:
    async with Desk(faults=ModemFaults(abort_drops_audio=True)) as desk:
        await desk.call()
        await desk.type("AT+VRX")
        await asyncio.sleep(0.31)
        desk.terminal.take()
        await asyncio.sleep(0.06)
        desk.terminal.write(b"\x10!")
        await asyncio.sleep(0.01)
        assert desk.terminal.take() == END


@pytest.mark.parametrize(("speaks", "code"), [(True, b"\x10q"), (False, b"\x10s")])
async def test_silence_is_told_after_the_time_set(speaks: bool, code: bytes) -> None:
    async with Desk() as desk:
        call = await desk.call()
        await desk.type("AT+VSD=0,20", "AT+VRX")
        if speaks:
            await call.speak(tone((500,), 0.5))
        await asyncio.sleep(1.5)
        assert code not in desk.terminal.take()
        await asyncio.sleep(1)
        assert desk.terminal.take().count(code) == 1


async def test_agere_says_the_same_for_both_silences() -> None:
    async with Desk("agere") as desk:
        call = await desk.call()
        await desk.type("AT+VSD=128,10", "AT+VRX")
        await call.speak(tone((500,), 0.5))
        await asyncio.sleep(2)
        assert b"\x10s" in desk.terminal.take()


async def test_a_host_that_does_not_read_loses_audio_and_is_told() -> None:
    async with Desk() as desk:
        await desk.call()
        await desk.type("AT+VRX")
        desk.terminal.take()
        wire = desk.line.wire
        wire.host_reads = False  # type: ignore[union-attr]
        await asyncio.sleep(5)
        assert desk.modem.overruns > 10
        wire.host_reads = True  # type: ignore[union-attr]
        await asyncio.sleep(0.2)
        got = desk.terminal.take()
        assert got.count(b"\x10o") == desk.modem.overruns
        assert len(got) < 8000


async def test_both_directions_at_once() -> None:
    async with Desk("multitech") as desk:
        call = await desk.call()
        assert (await desk.type("AT+VTR"))[0].startswith("CONNECT")
        speaking = asyncio.create_task(call.speak(tone((700,), 0.5)))
        desk.terminal.write(b"\x90" * 4800)
        await asyncio.sleep(0.55)
        desk.terminal.write(b"\x10^")
        await asyncio.sleep(0.2)
        got = desk.terminal.take()
        assert got.endswith(END)
        assert encode_s16(tone((700,), 0.5), SampleFormat.U8) in unshielded(got)
        assert decode_to_s16(b"\x90" * 4800, SampleFormat.U8) in call.heard()
        await speaking


async def test_without_echo_cancellation_the_prompt_leaks_into_the_recording() -> None:
    async with Desk() as desk:
        await desk.call()
        await desk.type("AT+VTR")
        desk.terminal.write(b"\xf0" * 1600)
        await asyncio.sleep(0.5)
        assert desk.terminal.take().count(b"\x87") >= 1500


async def test_usr_has_no_duplex() -> None:
    async with Desk("usr") as desk:
        await desk.call()
        assert await desk.type("AT+VTR") == ["ERROR"]


async def test_a_tone_of_the_exchange_is_heard_as_well_as_told() -> None:
    async with Desk() as desk:
        await desk.call()
        await desk.type("AT+VRX")
        desk.line.card.play_tone(ToneKind.DIAL)
        await asyncio.sleep(2.5)
        got = desk.terminal.take()
        assert b"\x10d" in got
        assert len(set(got)) > 20
        assert not desk.told(Happening.ON_HOOK)
