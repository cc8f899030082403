"""C8, D1: a modem that stops answering is noticed, reported, and brought back; nobody else notices."""

from __future__ import annotations

import asyncio
import random

import pytest

from benchmarks.many_calls.office import Office, OfficeMaker
from firmware.events import LineChanged, LineState
from firmware.simulation.bench import BenchLine
from firmware.simulation.voices import babble

pytestmark = pytest.mark.fast_time

SPEECH = babble(4.0, random.Random(3))
_NOTICED_WITHIN_SECONDS = 10.0


def _line(office: Office, index: int) -> dict[str, object]:
    lines = office.service.lines()
    return lines[index]


async def test_a_modem_that_hangs_while_idle_is_noticed_within_ten_seconds(open_office: OfficeMaker) -> None:
    async with open_office(lines=2) as office:
        steady, flaky = office.lines
        await asyncio.sleep(33.3)
        flaky.modem.hang()
        hung_at = asyncio.get_running_loop().time()
        await office.until(lambda: _line(office, 1)["state"] == "fault")
        assert asyncio.get_running_loop().time() - hung_at <= _NOTICED_WITHIN_SECONDS
        assert "no answer" in str(_line(office, 1)["fault"])
        message = await office.leave_message(steady, SPEECH)
        assert office.found(message, SPEECH) == len(SPEECH) // 2
        faults = [event for event in office.all(LineChanged, steady) if event.state is LineState.FAULT]
        assert faults == []


async def test_a_hung_modem_answers_again_after_it_was_power_cycled(open_office: OfficeMaker) -> None:
    async with open_office(lines=1) as office:
        (line,) = office.lines
        line.modem.hang()
        await office.until(lambda: _line(office, 0)["state"] == "fault")
        line.unplug()
        await asyncio.sleep(3.0)
        line.replug()
        await office.until(lambda: _line(office, 0)["state"] == "idle")
        message = await office.leave_message(line, SPEECH)
        assert office.found(message, SPEECH) == len(SPEECH) // 2
        (incident,) = office.incidents("modem")
        assert incident["ended_at"] is not None


async def test_a_modem_that_hangs_in_a_call_costs_that_call_only(open_office: OfficeMaker) -> None:
    async with open_office(lines=1) as office:
        (line,) = office.lines
        call = await office.to_the_beep(line)
        speaking = asyncio.create_task(call.speak(SPEECH))
        await asyncio.sleep(2.5)
        line.modem.hang()
        await office.until(lambda: _line(office, 0)["state"] == "fault")
        call.hang_up()
        await asyncio.gather(speaking, return_exceptions=True)
        line.unplug()
        line.replug()
        await office.until(lambda: _line(office, 0)["state"] == "idle")
        (kept,) = office.listed("messages")
        assert kept["interrupted"] is True
        assert kept["duration_seconds"] > 1.5
        await office.leave_message(line, SPEECH, "13900139000")


async def test_a_modem_that_hangs_while_it_records_is_noticed_within_ten_seconds(open_office: OfficeMaker) -> None:
    async with open_office(lines=1) as office:
        (line,) = office.lines
        call = await office.to_the_beep(line)
        speaking = asyncio.create_task(call.speak(SPEECH))
        await asyncio.sleep(2.5)
        assert await _seconds_until_noticed(office, line) <= _NOTICED_WITHIN_SECONDS
        call.hang_up()
        await asyncio.gather(speaking, return_exceptions=True)
        await office.until_ended(line)
        (kept,) = office.listed("messages")
        assert kept["interrupted"] is True


async def test_a_modem_that_hangs_while_it_speaks_is_noticed_within_ten_seconds(open_office: OfficeMaker) -> None:
    async with open_office(lines=2) as office:
        flaky, steady = office.lines
        call = await office.ring(flaky)
        await call.heard_speech()
        await call.wait(0.5)
        assert await _seconds_until_noticed(office, flaky) <= _NOTICED_WITHIN_SECONDS
        call.hang_up()
        await office.until_ended(flaky)
        message = await office.leave_message(steady, SPEECH)
        assert office.found(message, SPEECH) == len(SPEECH) // 2


async def _seconds_until_noticed(office: Office, line: BenchLine) -> float:
    """Hang the modem as a USB device does: it says nothing, and takes nothing."""
    loop = asyncio.get_running_loop()
    line.modem.hang()
    line.wire.modem_reads = False
    hung_at = loop.time()
    index = office.lines.index(line)
    await office.until(lambda: _line(office, index)["state"] == "fault")
    return loop.time() - hung_at


async def test_idle_probes_keep_the_line_proved_alive(open_office: OfficeMaker) -> None:
    async with open_office(lines=1) as office:
        await asyncio.sleep(3600.0)
        proved_at = str(_line(office, 0)["last_proved_alive_at"])
        now = office.service.lines()[0]
        assert now["fault"] is None
        assert proved_at >= "2026-03-02T12:59:50+08:00"
