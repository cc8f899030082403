from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from firmware.simulation.loop import ToneKind
from firmware.simulation.modem.faults import ModemFaults
from firmware.simulation.terminal import Desk

pytestmark = pytest.mark.fast_time


async def test_a_key_is_a_span_with_the_digit_repeated() -> None:
    async with Desk() as desk:
        call = await desk.call()
        await call.key("5", 0.2)
        await call.wait(0.01)
        assert desk.terminal.take() == b"\x10/\x105\x105\x105\x10~"


async def test_the_digit_is_repeated_every_70_ms() -> None:
    async with Desk() as desk:
        call = await desk.call()
        await call.key("#", 0.3)
        times = [at for at, data in desk.terminal.arrivals if data.endswith(b"\x10#")]
        assert [late - early for early, late in pairwise(times)] == pytest.approx([0.07] * 3)


async def test_rockwells_form_is_one_code_a_press() -> None:
    async with Desk(faults=ModemFaults(single_code_dtmf=True)) as desk:
        call = await desk.call()
        await call.keys("55", 0.3)
        assert desk.terminal.take() == b"\x105\x105"


async def test_a_key_too_short_to_be_sure_of_is_not_told() -> None:
    async with Desk() as desk:
        call = await desk.call()
        await call.key("5", 0.03)
        await call.wait(0.5)
        assert desk.terminal.take() == b""


@pytest.mark.parametrize("stream", ["AT+VTX", "AT+VRX"])
async def test_keys_are_told_in_every_stream(stream: str) -> None:
    async with Desk() as desk:
        call = await desk.call()
        await desk.type(stream)
        await call.key("9", 0.06)
        await call.wait(0.01)
        got = desk.terminal.take()
        assert b"\x10/\x109" in got
        assert got.endswith(b"\x10~")


async def test_the_host_may_turn_key_reports_off_and_on() -> None:
    async with Desk("silabs") as desk:
        call = await desk.call()
        await desk.type("AT+VTX")
        desk.terminal.write(b"\x10/")
        await call.keys("12")
        assert desk.terminal.take() == b""
        desk.terminal.write(b"\x10~")
        await call.key("3", 0.06)
        await call.wait(0.01)
        assert desk.terminal.take() == b"\x10/\x103\x10~"


async def test_no_code_in_data_class_or_on_hook() -> None:
    async with Desk() as desk:
        call = await desk.call()
        await desk.type("AT+FCLASS=0")
        await call.key("5")
        desk.line.card.play_tone(ToneKind.BUSY)
        await asyncio.sleep(5)
        await desk.type("AT+FCLASS=8", "AT+VLS=0")
        await asyncio.sleep(5)
        assert desk.terminal.take() == b""


@pytest.mark.parametrize(
    ("profile", "kind", "first_seconds", "period_seconds"),
    [("conexant", ToneKind.BUSY, 1.5, 4), ("usr", ToneKind.CONGESTION, 1.5, 4), ("multitech", ToneKind.DIAL, 2, 3)],
)
async def test_tones_are_told_once_sure_and_again_while_they_last(
    profile: str, kind: ToneKind, first_seconds: float, period_seconds: float
) -> None:
    async with Desk(profile) as desk:
        await desk.call()
        began = asyncio.get_running_loop().time()
        desk.line.card.play_tone(kind)
        await asyncio.sleep(7.5)
        code = b"\x10d" if kind is ToneKind.DIAL else b"\x10b"
        times = [at - began for at, data in desk.terminal.arrivals if data == code]
        assert times[:2] == pytest.approx([first_seconds, first_seconds + period_seconds], abs=0.01)
        desk.line.card.play_tone(None)
        desk.terminal.take()
        await asyncio.sleep(8)
        assert desk.terminal.take() == b""


async def test_a_tone_too_short_to_be_sure_of_is_not_told() -> None:
    async with Desk() as desk:
        await desk.call()
        desk.line.card.play_tone(ToneKind.BUSY)
        await asyncio.sleep(1)
        desk.line.card.play_tone(None)
        await asyncio.sleep(3)
        assert desk.terminal.take() == b""


@pytest.mark.parametrize(
    ("profile", "prepare", "told"),
    [
        ("conexant", "AT", b""),
        ("conexant", "AT-STE=3", b""),
        ("conexant", "AT-STE=4", b"\x10l\x10l"),
        ("usr", "AT", b"\x10h"),
        ("multitech", "AT", b""),
        ("generic", "AT", b"\x10l\x10L"),
        ("silabs", "AT", b""),
    ],
)
async def test_a_hang_up_signalled_by_the_loop_is_told_as_the_family_does(
    profile: str, prepare: str, told: bytes
) -> None:
    async with Desk(profile) as desk:
        await desk.call()
        await desk.type(prepare)
        desk.modem.loop_break()
        desk.modem.polarity_reversed()
        await asyncio.sleep(0.1)
        assert desk.terminal.take() == told


@pytest.mark.parametrize(
    ("profile", "prepare", "told"),
    [("conexant", "AT", b""), ("conexant", "AT-STE=2", b"\x10P\x10p"), ("usr", "AT", b"\x10H\x10h")],
)
async def test_an_extension_is_told_as_the_family_does(profile: str, prepare: str, told: bytes) -> None:
    async with Desk(profile) as desk:
        await desk.call()
        await desk.type(prepare)
        desk.modem.extension_hook(lifted=True)
        desk.modem.extension_hook(lifted=False)
        await asyncio.sleep(0.1)
        assert desk.terminal.take() == told


async def test_silabs_reports_no_tones_of_the_exchange() -> None:
    async with Desk("silabs") as desk:
        await desk.call()
        desk.line.card.play_tone(ToneKind.BUSY)
        await asyncio.sleep(10)
        assert desk.terminal.take() == b""
