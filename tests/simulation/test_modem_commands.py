from __future__ import annotations

import pytest

from firmware.simulation.exchange_events import Happening
from firmware.simulation.modem.command_line import BadCommand, Command, split
from firmware.simulation.modem.profile import load_profile, profile_names
from firmware.simulation.terminal import Desk

pytestmark = pytest.mark.fast_time

VOICE_PROFILES = [name for name in profile_names() if load_profile(name).voice]


def test_a_line_is_taken_apart_at_letters_and_semicolons() -> None:
    assert list(split("e0 q0v1&K3S0=1;+vcid=1;-STE=3+FCLASS?")) == [
        Command("E", "", "0"),
        Command("Q", "", "0"),
        Command("V", "", "1"),
        Command("&K", "", "3"),
        Command("S0", "=", "1"),
        Command("+VCID", "=", "1"),
        *list(split("-STE=3+FCLASS?")),
    ]
    assert list(split("X4DT0,123;")) == [Command("X", "", "4"), Command("D", "", "T0,123;")]


@pytest.mark.parametrize("body", ["%T19,0,26", "=", "+", "?", "\x10"])
def test_what_has_no_form_is_no_command(body: str) -> None:
    with pytest.raises(BadCommand):
        list(split(body))


@pytest.mark.parametrize(
    ("profile", "command", "answer"),
    [
        ("conexant", "ATI0", "56000\nOK"),
        ("conexant", "ATI", "56000\nOK"),
        ("conexant", "ATI3", "CX93001-EIS_V0.2013-V92\nOK"),
        ("conexant", "AT+GMI9", "CONEXANT ACF\nOK"),
        ("conexant", "AT-PV", "0\nOK"),
        ("usr", "ATI0", "5601\nOK"),
        ("usr", "ATI3", "U.S. Robotics 56K FAX USB V1.2.23\nOK"),
        ("usr", "AT+GMI9", "ERROR"),
        ("usr", "AT-PV", "ERROR"),
        ("multitech", "ATI0", "MT9234MU\nOK"),
        ("rockwell", "AT#CLS=?", "0,1,2,8\nOK"),
        ("conexant", "AT#CLS=?", "ERROR"),
    ],
)
async def test_each_family_says_who_it_is(profile: str, command: str, answer: str) -> None:
    async with Desk(profile) as desk:
        assert await desk.type(command) == [answer]


async def test_the_active_profile_is_shown() -> None:
    async with Desk() as desk:
        (shown,) = await desk.type("AT&V")
        assert shown.startswith("ACTIVE PROFILE:\nB1 E0 L2")


async def test_echo_repeats_what_is_typed_until_it_is_off() -> None:
    async with Desk() as desk:
        await desk.type("ATE1")
        desk.terminal.write(b"ATE0\r")
        await desk.terminal.command("")
        assert b"ATE0\r" in b"".join(data for _, data in desk.terminal.arrivals)
        assert await desk.type("AT") == ["OK"]


async def test_results_are_numbers_after_v0_and_nothing_after_q1() -> None:
    async with Desk() as desk:
        assert await desk.type("ATV0", "ATNONSENSE", "ATQ1", "AT", "ATQ0V1") == ["0", "4", "", "", "OK"]


async def test_numeric_information_has_no_leading_line_end() -> None:
    async with Desk() as desk:
        await desk.type("ATV0")
        desk.terminal.write(b"AT+FCLASS?\r")
        await desk.terminal.command("", 0.1)
        assert desk.terminal.arrivals[-1][1].endswith(b"0\r")


async def test_a_line_ends_at_its_first_error() -> None:
    async with Desk() as desk:
        answers = await desk.type("AT+FCLASS?;+GCI?", "AT+FCLASS=8;+NOPE;+FCLASS=0", "AT+FCLASS?")
        assert answers == ["0\n+GCI: B5\nOK", "ERROR", "8\nOK"]


async def test_bytes_left_from_a_stream_spoil_the_next_line_only() -> None:
    async with Desk() as desk:
        assert await desk.type("\x10!AT", "AT", "", "no command") == ["ERROR", "OK", "", ""]


async def test_the_last_line_is_repeated_without_a_line_end() -> None:
    async with Desk() as desk:
        await desk.type("ATI3")
        desk.terminal.write(b"A/")
        assert (await desk.terminal.command("", 0.1)).startswith("CX93001")


async def test_back_space_takes_a_letter_back() -> None:
    async with Desk() as desk:
        assert await desk.type("ATX\x08I3") == ["CX93001-EIS_V0.2013-V92\nOK"]


async def test_a_line_longer_than_the_buffer_is_refused() -> None:
    async with Desk() as desk:
        assert await desk.type("AT" + "E0" * 40, "AT" + "E0" * 4000, "AT") == ["ERROR", "ERROR", "OK"]


async def test_registers_keep_what_fits_into_them() -> None:
    async with Desk() as desk:
        assert await desk.type("ATS0=2", "ATS0?", "ATS0=256", "ATS256?") == ["OK", "002\nOK", "ERROR", "ERROR"]


async def test_a_reset_returns_to_what_was_stored_echo_included() -> None:
    async with Desk() as desk:
        await desk.type("ATE1S7=30+VCID=1;&W", "ATE0S7=99+VCID=0", "ATZ")
        assert "ATS7?" in await desk.terminal.command("ATS7?")
        assert (await desk.type("ATE0", "ATS7?", "AT+VCID?"))[1:] == ["030\nOK", "1\nOK"]


async def test_power_loss_forgets_what_was_not_stored() -> None:
    async with Desk() as desk:
        await desk.type("AT+VCID=1", "AT+FCLASS=8")
        desk.line.unplug()
        desk.line.replug()
        await desk.open()
        assert await desk.type("AT+VCID?", "AT+FCLASS?") == ["0\nOK", "0\nOK"]


async def test_the_country_is_set_asked_for_and_listed() -> None:
    async with Desk() as desk:
        answers = await desk.type("AT+GCI=26", "AT+GCI?", "AT+GCI=7B", "AT+GCI=?")
        assert answers[:3] == ["OK", "+GCI: 26\nOK", "ERROR"]
        assert "26" in answers[3]


@pytest.mark.parametrize("profile", VOICE_PROFILES)
async def test_voice_class_changes_the_state(profile: str) -> None:
    async with Desk(profile) as desk:
        assert desk.modem.state.value == "onhook_cmd"
        assert (await desk.type("AT+FCLASS=?"))[0].split("\n")[0].split(",")[-1] == "8"
        assert await desk.type("AT+FCLASS=8", "AT+FCLASS?") == ["OK", "8\nOK"]
        assert desk.modem.state.value == "onhook_voice"


@pytest.mark.parametrize("profile", ["rockwell", "softmodem"])
async def test_a_modem_without_voice_refuses_every_voice_command(profile: str) -> None:
    async with Desk(profile) as desk:
        answers = await desk.type("AT+FCLASS=8", "AT+VLS=1", "AT+VSM=?", "AT+VCID=1", "AT+VTS=1")
        assert answers == ["ERROR"] * 5


async def test_conexant_lists_devices_with_their_event_masks() -> None:
    async with Desk() as desk:
        (listed,) = await desk.type("AT+VLS=?")
        assert listed.split("\n")[:2] == ['0,"",B0804100,B0804100,B0804100', '1,"T",0B8433C1,0FE431C1,0B8431C1']
        assert len(listed.split("\n")) == 13


@pytest.mark.parametrize("profile", VOICE_PROFILES)
async def test_the_device_t_takes_the_line_and_0_gives_it_back(profile: str) -> None:
    async with Desk(profile) as desk:
        assert await desk.type("AT+VLS=1") == ["ERROR"]
        await desk.type("AT+FCLASS=8")
        assert (await desk.type("AT+VLS=1"))[0].startswith("OK")
        assert desk.modem.state.value == "offhook_cmd"
        assert await desk.type("AT+VLS=?") != ["ERROR"]
        assert await desk.type("AT+VLS=0") == ["OK"]
        assert desk.told(Happening.OFF_HOOK) == desk.told(Happening.ON_HOOK) == [""]


async def test_a_device_that_the_family_lacks_is_refused() -> None:
    async with Desk() as desk:
        assert await desk.type("AT+FCLASS=8", "AT+VLS=6", "AT+VLS=x", "AT+VLS") == ["OK", "ERROR", "ERROR", "ERROR"]


async def test_leaving_voice_class_does_not_hang_up_but_h_does() -> None:
    async with Desk() as desk:
        await desk.type("AT+FCLASS=8", "AT+VLS=1", "AT+FCLASS=0")
        assert desk.modem.off_hook
        await desk.type("ATH")
        assert not desk.modem.off_hook


async def test_h1_takes_the_line_in_any_class() -> None:
    async with Desk() as desk:
        await desk.type("ATH1")
        assert desk.modem.off_hook


async def test_usr_confirms_its_own_hook_with_an_event() -> None:
    async with Desk("usr") as desk:
        assert await desk.type("AT+FCLASS=8", "AT+VLS=1") == ["OK", "OK\n\x10H"]


async def test_codecs_are_listed_chosen_and_asked_for() -> None:
    async with Desk() as desk:
        (listed,) = await desk.type("AT+VSM=?")
        assert '1,"UNSIGNED PCM",8,0,8000,0,0' in listed.split("\n")
        answers = await desk.type("AT+VSM=1,8000,0,0", "AT+FCLASS=8", "AT+VSM=130,8000", "AT+VSM?", "AT+VSM=1,11025")
        assert answers == ["ERROR", "OK", "OK", "130,8000,0,0\nOK", "ERROR"]


async def test_multitech_wants_all_four_codec_parameters() -> None:
    async with Desk("multitech") as desk:
        answers = await desk.type("AT+FCLASS=8", "AT+VSM=1,8000", "AT+VSM=1,8000,0,0")
        assert answers == ["OK", "ERROR", "OK"]


@pytest.mark.parametrize(
    ("profile", "command", "answer"),
    [
        ("conexant", "AT+VGR=0", "OK"),
        ("conexant", "AT+VGR=128", "ERROR"),
        ("usr", "AT+VGR=128", "OK"),
        ("conexant", "AT+VSD=0,50", "OK"),
        ("conexant", "AT+VSD=40,70", "ERROR"),
        ("usr", "AT+VSD=0,50", "ERROR"),
        ("usr", "AT+VSD=128,0", "OK"),
        ("conexant", "AT+VSD=?", "(0,127-129),(0-255)\nOK"),
        ("conexant", "AT+VRA=70;+VRN=10;+VNH=2;+VIT=0;+VTD=50;+IFC=2,2", "OK"),
        ("conexant", "AT+VDR=1,15,9", "ERROR"),
        ("conexant", "AT+VIT=256", "ERROR"),
        ("conexant", "AT-STE=7;-SCID=0", "OK"),
        ("usr", "AT-STE=7", "ERROR"),
    ],
)
async def test_parameters_are_checked_as_the_family_does(profile: str, command: str, answer: str) -> None:
    async with Desk(profile) as desk:
        assert await desk.type(command) == [answer]


async def test_voice_parameters_go_back_with_vip() -> None:
    async with Desk() as desk:
        answers = await desk.type("AT+FCLASS=8;+VSM=130,8000;+VIT=9", "AT+VIP", "AT+VSM?", "AT+VIT?", "AT+VSD?")
        assert answers == ["OK", "OK", "1,8000,0,0\nOK", "0\nOK", "0,50\nOK"]
