from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.events import HangUpEvidence
from firmware.modem.dtmf import KeyForm, KeyReader
from firmware.modem.far_end import FarEndJudge, HangUpCodes
from firmware.modem.profile import named_profile, profiles, recognise

STEP_SECONDS = 0.07


def keys(codes: str, form: KeyForm = KeyForm.REPEATED, step: float = STEP_SECONDS) -> str:
    reader = KeyReader(form)
    return "".join(reader.feed(ord(code), number * step) or "" for number, code in enumerate(codes) if code != " ")


@pytest.mark.parametrize(
    ("codes", "pressed"),
    [
        ("/555~", "5"),
        ("/5~", "5"),
        ("555~", "5"),
        ("/555", "5"),
        ("/55/55~", "55"),
        ("/5~/5~", "55"),
        ("/55~/8~/*~/#~", "58*#"),
        ("5    5", "55"),
        ("/5588~", "58"),
        ("/~", ""),
        ("bdq", ""),
    ],
)
def test_one_press_is_one_key(codes: str, pressed: str) -> None:
    assert keys(codes) == pressed


def test_the_single_code_form_counts_every_code() -> None:
    assert keys("55", KeyForm.SINGLE) == "55"


@given(st.lists(st.integers(0, 255)), st.sampled_from(KeyForm))
def test_arbitrary_codes_never_raise(codes: list[int], form: KeyForm) -> None:
    reader = KeyReader(form)
    for number, code in enumerate(codes):
        key = reader.feed(code, number * STEP_SECONDS)
        assert key is None or key == chr(code)


@given(st.text("0123456789*#ABCD", max_size=20))
def test_framed_presses_come_back_in_order(pressed: str) -> None:
    assert keys("".join(f"/{key}{key}~" for key in pressed)) == pressed


CODES = HangUpCodes(
    at_once={ord("l"): HangUpEvidence.LOOP_BREAK, ord("h"): HangUpEvidence.LOOP_BREAK},
    when_repeated={ord("b"): HangUpEvidence.BUSY_TONE, ord("d"): HangUpEvidence.DIAL_TONE},
    own_off_hook=ord("H"),
)


def test_a_loop_break_is_proof() -> None:
    assert FarEndJudge(CODES, 0).feed(ord("l"), 5) is HangUpEvidence.LOOP_BREAK


def test_a_tone_counts_when_reported_again() -> None:
    judge = FarEndJudge(CODES, 0)
    assert judge.feed(ord("b"), 10) is None
    assert judge.suspicion is HangUpEvidence.BUSY_TONE
    assert judge.feed(ord("d"), 12) is None
    assert judge.feed(ord("b"), 14) is HangUpEvidence.BUSY_TONE


def test_a_tone_counts_at_once_when_nobody_spoke() -> None:
    assert FarEndJudge(CODES, 0).feed(ord("b"), 10, nobody_spoke=True) is HangUpEvidence.BUSY_TONE


def test_speech_or_time_between_two_reports_makes_them_two_guesses() -> None:
    judge = FarEndJudge(CODES, 0)
    judge.feed(ord("b"), 10)
    assert judge.feed(ord("b"), 21) is None
    judge.voice_heard()
    assert judge.feed(ord("b"), 24) is None


def test_our_own_off_hook_is_no_hang_up() -> None:
    codes = HangUpCodes(at_once={ord("H"): HangUpEvidence.LOOP_BREAK}, own_off_hook=ord("H"))
    judge = FarEndJudge(codes, 100)
    assert judge.feed(ord("H"), 100.2) is None
    assert judge.feed(ord("H"), 130) is HangUpEvidence.LOOP_BREAK


@given(st.lists(st.integers(0, 255)))
def test_arbitrary_codes_are_judged_without_raising(codes: list[int]) -> None:
    judge = FarEndJudge(CODES, 0)
    for at, code in enumerate(codes):
        judge.feed(code, float(at))


# --- profiles ---


def test_every_profile_is_complete() -> None:
    assert set(profiles()) == {"agere", "conexant", "generic", "multitech", "si24xx", "usr"}
    for profile in profiles().values():
        assert profile.tone.format(hz=900, ticks=40)
        assert all(command.format(ticks=10).startswith("AT") for command in profile.flash)
        assert all(command.startswith("AT") for command in (*profile.data_setup, *profile.voice_setup))


@pytest.mark.parametrize(
    ("answers", "name"),
    [
        ({"ati0": "56000", "gmi9": "CONEXANT ACF"}, "conexant"),
        ({"ati0": "56000", "ati3": "CX93001-EIS_V0.2002-V92"}, "conexant"),
        ({"ati0": "5601", "ati3": "U.S. Robotics 56K FAX USB V1.2.23"}, "usr"),
        ({"ati0": "MT9234MU"}, "multitech"),
        ({"ati0": "LT V.92 1.0 MT5634ZPX"}, "agere"),
        ({"ati0": "Venus V.90 USB U052099a"}, "agere"),
        ({"gmm": "Si2494"}, "si24xx"),
        ({"ati0": "56000"}, "generic"),
        ({"ati0": "5601"}, "generic"),
        ({}, "generic"),
    ],
)
def test_a_chipset_gives_itself_away_but_not_by_a_shared_number(answers: dict[str, str], name: str) -> None:
    assert recognise(answers).name == name


def test_usr_beeps_with_two_equal_frequencies() -> None:
    assert named_profile("usr").tone.format(hz=900, ticks=120) == "[900,900,120]"
