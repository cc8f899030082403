from __future__ import annotations

import asyncio

import pytest

from firmware.simulation.exchange_events import Happening
from firmware.simulation.far_end import Answers, FarEnd
from firmware.simulation.terminal import Desk

pytestmark = pytest.mark.fast_time


async def dial(desk: Desk, far_end: FarEnd, command: str = "ATD10086", seconds: float = 120) -> str:
    desk.bench.exchange.register_others(far_end)
    await desk.type("AT+FCLASS=8")
    return await desk.terminal.command(command, seconds)


@pytest.mark.parametrize(
    ("profile", "far_end", "result", "off_hook"),
    [
        ("conexant", FarEnd(rings=1), "VCON", True),
        ("multitech", FarEnd(rings=1), "OK", True),
        ("conexant", FarEnd(Answers.BUSY), "BUSY", False),
        ("conexant", FarEnd(Answers.UNKNOWN), "BUSY", False),
        ("conexant", FarEnd(Answers.NO_ANSWER), "NO ANSWER", False),
    ],
)
async def test_a_call_ends_in_the_result_of_the_line(
    profile: str, far_end: FarEnd, result: str, off_hook: bool
) -> None:
    async with Desk(profile) as desk:
        assert await dial(desk, far_end) == result
        assert desk.modem.off_hook is off_hook
        assert desk.told(Happening.DIALLED) == ["10086"]


async def test_the_answer_is_inferred_after_ringback_has_been_gone_for_vra() -> None:
    async with Desk() as desk:
        await desk.type("AT+VRA=70")
        began = asyncio.get_running_loop().time()
        await dial(desk, FarEnd(rings=1))
        connected = next(event.at_seconds for event in desk.happened if event.happening is Happening.CONNECTED)
        result_at = desk.terminal.arrivals[-1][0]
        assert began < connected
        assert result_at - connected == pytest.approx(7, abs=0.01)


async def test_no_dial_tone_ends_the_attempt_and_x0_does_not_wait_for_one() -> None:
    async with Desk("usr") as desk:
        desk.line.loop.exchange = None
        assert await desk.terminal.command("ATD1", 8) == "NO DIAL TONE"
        assert await desk.terminal.command("ATX0D1;", 8) == "OK"


async def test_a_semicolon_comes_back_to_commands_with_the_line_held() -> None:
    async with Desk() as desk:
        assert await dial(desk, FarEnd(), "ATDT12,3;", 8) == "OK"
        assert desk.modem.state.value == "offhook_cmd"
        assert desk.told(Happening.DIGIT) == ["1", "2", "3"]


async def test_a_flash_in_the_string_reaches_the_exchange() -> None:
    async with Desk() as desk:
        assert await dial(desk, FarEnd(), "ATD1!2;", 8) == "OK"
        assert desk.told(Happening.FLASH) == [""]


async def test_a_key_while_dialling_ends_the_call() -> None:
    async with Desk() as desk:
        assert await dial(desk, FarEnd(Answers.NO_ANSWER), seconds=5) == ""
        assert desk.modem.state.value == "dialing"
        assert await desk.terminal.command("") == "NO CARRIER"
        assert desk.modem.state.value == "onhook_voice"
        assert await desk.type("AT") == ["OK"]


async def test_a_line_feed_behind_the_command_ends_nothing() -> None:
    async with Desk() as desk:
        assert await dial(desk, FarEnd(rings=1), "ATD10086\r\n") == "VCON"


async def test_a_line_in_use_is_left_alone() -> None:
    async with Desk() as desk:
        await desk.type("AT-STE=1")
        desk.modem.extension_hook(lifted=True)
        assert await dial(desk, FarEnd(), seconds=1) == "LINE-IN-USE"
        assert not desk.told(Happening.OFF_HOOK)


async def test_in_data_class_a_voice_at_the_far_end_is_no_carrier() -> None:
    async with Desk() as desk:
        desk.bench.exchange.register_others(FarEnd(rings=1))
        assert await desk.terminal.command("ATS7=20D10086", 60) == "NO CARRIER"
        assert not desk.modem.off_hook


@pytest.mark.parametrize(
    ("profile", "tones", "seconds"),
    [
        ("conexant", "[900,,120]", 1.2),
        ("conexant", "[900,900,120],[,,50]", 1.7),
        ("conexant", "{5,30},{!,60}", 0.985),
        ("multitech", "1,#", 2.17),
        ("usr", "[697,1209,12]", 0.12),
    ],
)
async def test_the_result_follows_the_last_tone(profile: str, tones: str, seconds: float) -> None:
    async with Desk(profile) as desk:
        call = await desk.call()
        began = asyncio.get_running_loop().time()
        assert await desk.terminal.command(f"AT+VTS={tones}", 4) == "OK"
        assert desk.terminal.arrivals[-1][0] - began == pytest.approx(seconds, abs=0.01)
        assert any(call.heard())


@pytest.mark.parametrize(
    ("profile", "tones", "result"),
    [
        ("conexant", "[100,,10]", "ERROR"),
        ("conexant", "[900,,256]", "ERROR"),
        ("conexant", "[900,900,120", "ERROR"),
        ("conexant", "x", "ERROR"),
        ("usr", "[900,,12]", "ERROR"),
        ("usr", "[900,0,12]", "ERROR"),
        ("silabs", "[900,,12]", "ERROR"),
        ("usr", "5", "OK"),
    ],
)
async def test_tones_are_checked_as_the_family_does(profile: str, tones: str, result: str) -> None:
    async with Desk(profile) as desk:
        await desk.call()
        assert await desk.terminal.command(f"AT+VTS={tones}", 1) == result
        assert not desk.told(Happening.DIGIT)


async def test_digits_on_demand_reach_the_exchange() -> None:
    async with Desk() as desk:
        await desk.call()
        await desk.terminal.command("AT+VTS=1,2,!,#", 3)
        assert desk.told(Happening.DIGIT) == ["1", "2", "#"]
        assert desk.told(Happening.FLASH) == [""]
