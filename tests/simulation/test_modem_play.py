from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.pcm import SampleFormat, decode_to_s16
from firmware.simulation.modem.faults import ModemFaults
from firmware.simulation.modem.shielding import Action, HostStream, shielded
from firmware.simulation.terminal import Desk

pytestmark = pytest.mark.fast_time

NOISE = random.Random(7).randbytes(16000)
CODECS = [
    ("conexant", 1, SampleFormat.U8),
    ("conexant", 0, SampleFormat.S8),
    ("usr", 128, SampleFormat.U8),
    ("usr", 129, SampleFormat.S16),
    ("usr", 130, SampleFormat.ALAW),
    ("usr", 131, SampleFormat.ULAW),
    ("multitech", 1, SampleFormat.U8),
    ("silabs", 4, SampleFormat.ULAW),
]


@given(st.binary(max_size=300), st.lists(st.integers(1, 40)))
def test_shielded_samples_come_back_however_they_are_cut(samples: bytes, sizes: list[int]) -> None:
    stream, data, back = HostStream(), shielded(samples), bytearray()
    for size in [*sizes, len(data) + 1]:
        for item in stream.feed(data[:size]):
            assert isinstance(item, bytes)
            back += item
        data = data[size:]
    assert bytes(back) == samples


@given(st.lists(st.binary(max_size=20), max_size=20), st.booleans())
def test_any_stream_gives_samples_and_known_actions(pieces: list[bytes], triple: bool) -> None:
    stream = HostStream(triple_dle=triple)
    for piece in pieces:
        for item in stream.feed(piece):
            assert isinstance(item, (bytes, Action))


def test_dle_sub_is_two_samples() -> None:
    assert list(HostStream().feed(b"\x10\x1a")) == [b"\x10\x10"]


@pytest.mark.parametrize(("profile", "cml", "sample_format"), CODECS)
async def test_what_is_played_is_heard_sample_for_sample(profile: str, cml: int, sample_format: SampleFormat) -> None:
    async with Desk(profile) as desk:
        call = await desk.call()
        assert await desk.type(f"AT+VSM={cml},8000,0,0", "AT+VTX") == ["OK", "CONNECT"]
        desk.terminal.write(shielded(NOISE) + b"\x10\x03")
        await asyncio.sleep(3)
        assert desk.terminal.take().endswith(b"\r\nOK\r\n")
        assert decode_to_s16(NOISE, sample_format) in call.heard()


async def test_the_result_waits_until_the_buffer_has_played() -> None:
    async with Desk() as desk:
        await desk.call()
        await desk.type("AT+VTX")
        began = asyncio.get_running_loop().time()
        desk.terminal.write(b"\x80" * 2000 + b"\x10\x03")
        await asyncio.sleep(2)
        at, data = desk.terminal.arrivals[-1]
        assert data == b"\r\nOK\r\n"
        assert at - began == pytest.approx(0.25, abs=0.001)


@pytest.mark.parametrize("size", [1024, 4096])
async def test_the_line_drains_a_bounded_buffer_at_its_own_pace(size: int) -> None:
    async with Desk(faults=ModemFaults(buffer_bytes=size)) as desk:
        await desk.call()
        await desk.type("AT+VTX")
        began = asyncio.get_running_loop().time()
        desk.terminal.write(b"\x90" * 80_000 + b"\x10\x03")
        for _ in range(90):
            await asyncio.sleep(0.1)
            assert desk.modem.buffered_samples <= size
        await asyncio.sleep(2)
        assert desk.terminal.arrivals[-1][0] - began == pytest.approx(10, abs=0.01)
        assert desk.modem.underruns == 0


async def test_clearing_silences_at_once_and_the_stream_goes_on() -> None:
    async with Desk() as desk:
        call = await desk.call()
        await desk.type("AT+VTX")
        desk.terminal.write(b"\x90" * 2000)
        await asyncio.sleep(0.05)
        desk.terminal.write(b"\x10\x18")
        await asyncio.sleep(0.2)
        loud = decode_to_s16(b"\x90", SampleFormat.U8)
        assert 390 <= call.heard().count(loud) <= 410
        desk.terminal.write(b"\xa0" * 100 + b"\x10\x03")
        await asyncio.sleep(0.1)
        assert desk.terminal.take().endswith(b"OK\r\n")
        assert decode_to_s16(b"\xa0" * 100, SampleFormat.U8) in call.heard()


async def test_clear_and_end_together_give_the_result_at_once() -> None:
    async with Desk() as desk:
        await desk.call()
        await desk.type("AT+VTX")
        desk.terminal.write(b"\x90" * 2000 + b"\x00\x10\x18\x10\x03")
        await asyncio.sleep(0.01)
        assert desk.terminal.take().endswith(b"OK\r\n")


async def test_a_host_that_flushes_reaches_a_full_modem_within_a_packet() -> None:
    async with Desk() as desk:
        await desk.call()
        await desk.type("AT+VTX")
        desk.terminal.write(b"\x90" * 40_000)
        await asyncio.sleep(1)
        desk.terminal.wire.discard_output()
        desk.terminal.write(b"\x10\x18\x10\x03")
        await asyncio.sleep(0.02)
        assert desk.terminal.take().endswith(b"OK\r\n")


async def test_running_dry_is_told_while_it_lasts_and_play_goes_on() -> None:
    async with Desk() as desk:
        call = await desk.call()
        await desk.type("AT+VTX")
        desk.terminal.write(b"\x90" * 800)
        await asyncio.sleep(1.2)
        assert desk.terminal.take() == b"\x10u" * 3
        desk.terminal.write(b"\xa0" * 800 + b"\x10\x03")
        await asyncio.sleep(0.2)
        assert desk.terminal.take() == b"\r\nOK\r\n"
        assert decode_to_s16(b"\xa0" * 800, SampleFormat.U8) in call.heard()


async def test_a_pause_keeps_what_has_not_sounded() -> None:
    async with Desk() as desk:
        call = await desk.call()
        await desk.type("AT+VTX")
        desk.terminal.write(b"\x90" * 1600)
        await asyncio.sleep(0.1)
        desk.terminal.write(b"\x10p")
        await asyncio.sleep(1)
        assert desk.terminal.take() == b""
        desk.terminal.write(b"\x10r\x10\x03")
        await asyncio.sleep(0.2)
        assert call.heard().count(decode_to_s16(b"\x90", SampleFormat.U8)) == 1600


async def test_triple_dle_is_needed_where_the_fault_says_so() -> None:
    async with Desk(faults=ModemFaults(needs_triple_dle=True)) as desk:
        await desk.call()
        await desk.type("AT+VTX")
        desk.terminal.write(b"\x80\x10\x03")
        await asyncio.sleep(0.5)
        assert b"OK" not in desk.terminal.take()
        desk.terminal.write(b"\x80\x10\x10\x10\x03")
        await asyncio.sleep(0.5)
        assert desk.terminal.take().endswith(b"OK\r\n")


async def test_triple_dle_is_understood_everywhere() -> None:
    async with Desk() as desk:
        await desk.call()
        await desk.type("AT+VTX")
        desk.terminal.write(b"\x80\x10\x10\x10\x03")
        await asyncio.sleep(0.5)
        assert desk.terminal.take().endswith(b"OK\r\n")


async def test_silabs_marks_the_end_of_play() -> None:
    async with Desk("silabs") as desk:
        await desk.call()
        await desk.type("AT+VTX")
        desk.terminal.write(b"\x80\x10\x03")
        await asyncio.sleep(0.5)
        assert desk.terminal.take() == b"\x10\x03\r\nOK\r\n"


async def test_the_result_may_come_too_early_where_the_fault_says_so() -> None:
    async with Desk(faults=ModemFaults(play_result_at_once=True)) as desk:
        await desk.call()
        await desk.type("AT+VTX")
        desk.terminal.write(b"\x80" * 1600 + b"\x10\x03")
        await asyncio.sleep(0.01)
        assert desk.terminal.take() == b"\r\nOK\r\n"


async def test_an_idle_host_is_left_after_the_inactivity_time() -> None:
    async with Desk() as desk:
        await desk.call()
        await desk.type("AT+VIT=2", "AT+VTX")
        desk.terminal.write(b"\x80\x10\x00")
        await asyncio.sleep(2.5)
        assert desk.terminal.take().endswith(b"\x10\x03\r\nOK\r\n")
        assert not desk.modem.off_hook


@pytest.mark.parametrize("line", ["AT+VTX", "AT+VRX", "AT+VTR"])
async def test_streams_need_voice_class_and_a_device(line: str) -> None:
    async with Desk() as desk:
        assert await desk.type(line, "AT+FCLASS=8", line) == ["ERROR", "OK", "ERROR"]


async def test_a_codec_that_the_bench_cannot_code_does_not_stream() -> None:
    async with Desk() as desk:
        await desk.call()
        assert await desk.type("AT+VSM=129,8000", "AT+VTX") == ["OK", "ERROR"]


async def test_software_flow_control_stops_the_host_and_eats_its_samples() -> None:
    async with Desk(faults=ModemFaults(xon_xoff=True)) as desk:
        call = await desk.call()
        await desk.type("AT+VTX")
        desk.terminal.write(b"\x90" * 4000 + b"\x11\x13" * 10)
        await asyncio.sleep(1)
        got = desk.terminal.take()
        assert got.startswith(b"\x13\x11")
        heard = call.heard()
        assert heard.count(decode_to_s16(b"\x90", SampleFormat.U8)) == 4000
        assert decode_to_s16(b"\x11", SampleFormat.U8) not in heard
