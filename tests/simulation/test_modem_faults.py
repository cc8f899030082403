from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from firmware.errors import PortLost, PortMissing
from firmware.simulation.exchange_events import Happening
from firmware.simulation.modem.faults import OPTIONAL_COMMANDS, ModemFaults
from firmware.simulation.modem.outlet import Direction
from firmware.simulation.modem.profile import load_profile
from firmware.simulation.terminal import Desk

pytestmark = pytest.mark.fast_time


async def test_events_leave_in_two_pieces() -> None:
    async with Desk(faults=ModemFaults(split_events_seconds=0.005)) as desk:
        call = await desk.call()
        arrivals = len(desk.terminal.arrivals)
        await call.key("5", 0.06)
        await call.wait(0.1)
        pieces = [data for _, data in desk.terminal.arrivals[arrivals:]]
        assert pieces == [b"\x10", b"/\x10", b"5", b"\x10", b"~"]


async def test_connect_events_and_audio_come_in_one_read() -> None:
    async with Desk() as desk:
        call = await desk.call()
        desk.modem.faults = ModemFaults(hold_output_seconds=0.4, burst_bytes=4096)
        desk.terminal.write(b"AT+VRX\r")
        await call.key("5", 0.1)
        await asyncio.sleep(0.4)
        first = desk.terminal.take()
        assert first.startswith(b"\r\nCONNECT\r\n")
        assert b"\x10/\x105" in first
        await asyncio.sleep(1)
        assert max(len(data) for _, data in desk.terminal.arrivals) <= 4096


async def test_results_may_be_late_and_lines_typed_meanwhile_are_run_then() -> None:
    async with Desk(faults=ModemFaults(late_result_seconds=3)) as desk:
        await asyncio.sleep(5)
        assert await desk.type("AT", "AT+FCLASS?") == ["", ""]
        await asyncio.sleep(10)
        assert desk.terminal.take() == b"\r\nOK\r\n\r\n0\r\n\r\nOK\r\n"


async def test_the_result_of_a_streams_end_may_be_late_too() -> None:
    async with Desk() as desk:
        await desk.call()
        await desk.type("AT+VRX")
        desk.modem.faults = ModemFaults(late_result_seconds=3)
        desk.terminal.write(b"\x10!")
        await asyncio.sleep(1)
        assert desk.terminal.take().endswith(b"\x10\x03")
        await asyncio.sleep(3)
        assert desk.terminal.take() == b"\r\nOK\r\n"


async def test_results_may_be_absent() -> None:
    async with Desk(faults=ModemFaults(results_withheld=("+FCLASS=8", "stream-end"))) as desk:
        assert await desk.type("AT+FCLASS=8", "AT+FCLASS?", "AT+VLS=1") == ["", "8\nOK", "OK"]
        assert (await desk.type("AT+VRX"))[0].startswith("CONNECT")
        desk.terminal.write(b"\x10!")
        await asyncio.sleep(0.1)
        assert desk.terminal.take().endswith(b"\x10\x03")


async def test_everything_optional_may_be_refused() -> None:
    async with Desk(faults=ModemFaults(commands_refused=OPTIONAL_COMMANDS)) as desk:
        answers = await desk.type("AT+GCI=26", "AT+VGR=0", "AT+VSD=0,50", "AT&K3", "AT+VCID=1", "AT-STE=3")
        assert answers == ["ERROR"] * 6
        assert await desk.type("AT+FCLASS=8", "AT+VLS=1", "AT+VTX") == ["OK", "OK", "CONNECT"]


async def test_results_may_be_doubled_and_out_of_order() -> None:
    async with Desk(faults=ModemFaults(doubled_results=True)) as desk:
        assert await desk.type("AT") == ["OK\nOK"]
        desk.modem.faults = ModemFaults(results_before_information=True)
        assert await desk.type("AT+FCLASS?") == ["OK\n0"]


async def test_a_hung_modem_says_nothing_until_its_power_is_cycled() -> None:
    async with Desk(faults=ModemFaults(hangs_after_commands=3)) as desk:
        assert await desk.type("AT", "AT", "AT") == ["OK", "", ""]
        assert desk.modem.state.value == "hung"
        await desk.bench.caller().dial(desk.line.card)
        await asyncio.sleep(6)
        assert desk.terminal.take() == b""
        desk.line.unplug()
        desk.modem.faults = ModemFaults()
        desk.line.replug()
        await desk.open()
        assert await desk.type("AT") == ["OK"]


async def test_a_modem_that_hangs_in_a_call_keeps_the_line() -> None:
    async with Desk() as desk:
        call = await desk.call()
        await desk.type("AT+VRX")
        desk.modem.hang()
        desk.terminal.take()
        await call.key("5")
        await asyncio.sleep(5)
        assert desk.terminal.take() == b""
        assert desk.modem.off_hook
        desk.line.unplug()
        assert desk.told(Happening.ON_HOOK) == [""]


async def test_garbage_comes_after_plugging_in() -> None:
    async with Desk(faults=ModemFaults(garbage_after_plug_in=b"\xff\x00\x10")) as desk:
        assert desk.terminal.arrivals[0][1].startswith(b"\xff\x00\x10")


async def test_results_may_be_numbers_from_the_start() -> None:
    async with Desk(faults=ModemFaults(numeric_results=True)) as desk:
        assert await desk.type("AT", "ATV1", "AT", "ATZ") == ["0", "OK", "OK", "0"]


async def test_echo_may_be_impossible_to_turn_off() -> None:
    async with Desk(faults=ModemFaults(echo_always=True)) as desk:
        assert await desk.type("ATE0", "AT") == ["ATE0\nOK", "AT\nOK"]


@pytest.mark.parametrize("limit", [1, 6, 7, 40, 200])
async def test_a_brown_out_happens_at_its_byte_once_and_the_modem_comes_back(limit: int) -> None:
    async with Desk() as desk:
        desk.line.unplug()
        passed = 0

        def count(direction: Direction, data: bytes, _: float) -> None:
            nonlocal passed
            passed += len(data) if direction is not Direction.DISCARDED else 0

        desk.modem.watch_traffic(count)
        desk.modem.faults = ModemFaults(brown_out_after_bytes=limit, brown_out_seconds=2)
        desk.line.replug()
        await asyncio.sleep(0.1)
        desk.terminal.lost = None
        await desk.open()
        while desk.terminal.lost is None:
            await desk.type("AT+FCLASS=?")
        assert isinstance(desk.terminal.lost, PortLost)
        assert passed == limit
        with pytest.raises(PortMissing):
            await desk.open()
        await asyncio.sleep(2)
        await desk.open()
        assert await desk.type("AT") == ["OK"]
        assert desk.modem.faults.brown_out_after_bytes is None


async def test_a_brown_out_in_a_call_drops_the_line() -> None:
    async with Desk() as desk:
        call = await desk.call()
        desk.modem.faults = ModemFaults(brown_out_after_bytes=3000, brown_out_seconds=None)
        await desk.type("AT+VRX")
        await call.ended()
        assert call.subscriber_hung_up
        assert desk.modem.state.value == "off"
        await asyncio.sleep(60)
        assert desk.modem.state.value == "off"


async def test_traffic_shows_both_directions_with_the_time() -> None:
    async with Desk() as desk:
        seen: list[tuple[str, bytes, float]] = []
        desk.modem.watch_traffic(lambda direction, data, at: seen.append((direction.value, data, at)))
        began = asyncio.get_running_loop().time()
        await desk.type("AT")
        desk.terminal.wire.discard_output()
        assert [(direction, data) for direction, data, _ in seen] == [
            (">", b"AT\r"),
            ("<", b"\r\nOK\r\n"),
            ("x", b""),
        ]
        assert seen[1][2] - began == pytest.approx(load_profile("conexant").command_seconds)


async def test_faults_may_change_at_any_time() -> None:
    async with Desk() as desk:
        assert await desk.type("AT+VGR=0") == ["OK"]
        desk.modem.faults = replace(desk.modem.faults, commands_refused=("+VGR",))
        assert await desk.type("AT+VGR=0") == ["ERROR"]
