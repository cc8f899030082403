from __future__ import annotations

import asyncio

import pytest

from firmware.simulation.loop import CallerIdBurst
from firmware.simulation.modem.faults import ModemFaults
from firmware.simulation.terminal import Desk

pytestmark = pytest.mark.fast_time

BURST = CallerIdBurst(number=b"02112345678", name=b"ACME", date="1123", time="0915")


async def burst(desk: Desk, seconds: float, pause_seconds: float = 0.0) -> None:
    """One ring, by hand."""
    desk.modem.ring_began()
    await asyncio.sleep(seconds)
    desk.modem.ring_ended()
    await asyncio.sleep(pause_seconds)


async def told(desk: Desk, what: CallerIdBurst) -> list[bytes]:
    desk.terminal.take()
    desk.modem.caller_id(what)
    await asyncio.sleep(0.5)
    return [line for line in desk.terminal.take().split(b"\r\n") if line]


async def test_each_burst_is_one_ring_in_words() -> None:
    async with Desk() as desk:
        await desk.bench.caller().dial(desk.line.card)
        await asyncio.sleep(12)
        assert desk.terminal.take() == b"\r\nRING\r\n" * 3


async def test_britains_double_ring_is_one_ring() -> None:
    async with Desk() as desk:
        await burst(desk, 0.4, 0.2)
        await burst(desk, 0.4, 2.0)
        await burst(desk, 0.4, 0.2)
        await burst(desk, 0.4, 2.0)
        assert desk.terminal.take() == b"\r\nRING\r\n" * 2


@pytest.mark.parametrize(("profile", "ring"), [("conexant", b"\x10R"), ("usr", b"\r\nRING\r\n")])
async def test_in_voice_class_a_ring_may_be_an_event(profile: str, ring: bytes) -> None:
    async with Desk(profile) as desk:
        await desk.type("AT+FCLASS=8")
        await burst(desk, 1.0)
        assert desk.terminal.take() == ring


async def test_distinctive_ring_without_delay_says_no_ring_at_all() -> None:
    async with Desk() as desk:
        await desk.type("AT+VDR=1,0")
        await burst(desk, 2.0, 4.0)
        await burst(desk, 2.0, 4.0)
        assert desk.terminal.take() == b"\r\nDRON=20\r\n\r\nDROF=40\r\n\r\nDRON=20\r\n"


async def test_distinctive_ring_with_a_delay_says_ring_behind_the_pulse() -> None:
    async with Desk() as desk:
        await desk.type("AT+VDR=1,15")
        await burst(desk, 1.0, 1.4)
        assert desk.terminal.take() == b"\r\nDRON=10\r\n"
        await asyncio.sleep(0.2)
        assert desk.terminal.take() == b"\r\nRING\r\n"


async def test_caller_id_is_silent_until_asked_for() -> None:
    async with Desk() as desk:
        assert await told(desk, BURST) == []


@pytest.mark.parametrize(("profile", "equals"), [("conexant", b" = "), ("usr", b"="), ("multitech", b" = ")])
async def test_fields_are_lines_with_or_without_spaces(profile: str, equals: bytes) -> None:
    async with Desk(profile) as desk:
        await desk.type("AT+VCID=1")
        assert await told(desk, BURST) == [
            b"DATE" + equals + b"1123",
            b"TIME" + equals + b"0915",
            b"NMBR" + equals + b"02112345678",
            b"NAME" + equals + b"ACME",
        ]


async def test_absent_fields_have_no_line_and_bytes_pass_as_they_are() -> None:
    async with Desk() as desk:
        await desk.type("AT+VCID=1")
        assert await told(desk, CallerIdBurst(number=b"P")) == [b"NMBR = P"]
        name = "张三".encode("gb18030")
        assert await told(desk, CallerIdBurst(name=name)) == [b"NAME = " + name]


async def test_the_name_may_come_before_the_number() -> None:
    async with Desk(faults=ModemFaults(caller_id_name_first=True)) as desk:
        await desk.type("AT+VCID=1")
        lines = await told(desk, BURST)
        assert lines.index(b"NAME = ACME") < lines.index(b"NMBR = 02112345678")


async def test_the_raw_packet_is_hexadecimal() -> None:
    async with Desk() as desk:
        await desk.type("AT+VCID=2")
        (line,) = await told(desk, BURST)
        packet = bytes.fromhex(line.decode())
        assert packet[:2] == bytes((0x80, len(packet) - 2))
        assert b"\x01\x0811230915\x02\x0b02112345678\x07\x04ACME" in packet


async def test_silabs_wraps_it_into_an_event_in_voice_class() -> None:
    async with Desk("silabs") as desk:
        await desk.type("AT+VCID=1", "AT+FCLASS=8")
        desk.modem.caller_id(BURST)
        await asyncio.sleep(0.1)
        expected = b"\x10XCIDM\r\nDATE=1123\r\nTIME=0915\r\nNMBR=02112345678\r\nNAME=ACME\r\n\x10."
        assert desk.terminal.take() == expected


async def test_a_result_comes_between_slow_lines() -> None:
    async with Desk(faults=ModemFaults(caller_id_line_seconds=0.05)) as desk:
        await desk.type("AT+VCID=1")
        desk.modem.caller_id(BURST)
        await asyncio.sleep(0.06)
        desk.terminal.write(b"AT\r")
        await asyncio.sleep(0.2)
        lines = desk.terminal.take().split(b"\r\n\r\n")
        assert lines.index(b"OK") == 2
        assert len(lines) == 5


async def test_a_ring_comes_into_every_answer_while_the_line_rings() -> None:
    async with Desk(faults=ModemFaults(ring_into_command=True)) as desk:
        assert await desk.type("AT+FCLASS?") == ["0\nOK"]
        await burst(desk, 1.0)
        assert await desk.type("AT+FCLASS?") == ["RING\n0\nOK"]


async def test_auto_answer_takes_the_line_on_its_ring() -> None:
    async with Desk() as desk:
        await desk.type("ATS0=2")
        call = await desk.bench.caller().dial(desk.line.card)
        await call.answered(7)
        assert desk.terminal.take().count(b"RING") == 2
        await asyncio.sleep(0.2)
        await desk.type("A")
        assert not desk.modem.off_hook


@pytest.mark.parametrize(("profile", "result"), [("conexant", "VCON"), ("multitech", "OK")])
async def test_a_answers_in_voice_class(profile: str, result: str) -> None:
    async with Desk(profile) as desk:
        call = await desk.bench.caller().dial(desk.line.card)
        assert await desk.type("AT+FCLASS=8;A") == [result]
        await call.answered(1)
        assert await desk.type("AT+VTX") == ["CONNECT"]


async def test_old_usr_firmware_says_ok_and_the_line_goes_on_ringing() -> None:
    async with Desk("usr", ModemFaults(vls_stays_on_hook=True)) as desk:
        call = await desk.bench.caller().dial(desk.line.card)
        answers = await desk.type("AT+FCLASS=8", "AT+VLS=1")
        assert answers[1].startswith("OK")
        await asyncio.sleep(10)
        assert not call.is_connected
        assert desk.terminal.take().count(b"RING") == 2
        await desk.type("ATH1")
        await call.answered(1)
