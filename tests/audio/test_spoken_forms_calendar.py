"""Times, dates and week days, compared with what Babel writes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, time, timedelta

import pytest
from babel.dates import format_date, get_day_names, get_month_names
from hypothesis import given
from hypothesis import strategies as st

from firmware.audio.catalogue import default_folder, load_catalogue
from firmware.audio.spoken_forms import say_date, say_day, say_time, say_weekday

PROMPTS = load_catalogue(default_folder()).prompts
EVERY_MINUTE = [time(minute // 60, minute % 60) for minute in range(24 * 60)]
MANDARIN_DIGITS = "零一二三四五六七八九"


def spoken(pieces: Sequence[str], language: str) -> str:
    return ("" if language == "zh" else " ").join(PROMPTS[piece].texts[language] for piece in pieces)


def in_mandarin(number: int) -> str:
    """Below a hundred, by arithmetic."""
    tens, ones = divmod(number, 10)
    ten = {0: "", 1: "十"}.get(tens, f"{MANDARIN_DIGITS[tens]}十")
    return ten + (MANDARIN_DIGITS[ones] if ones or not tens else "")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_minute_of_the_day_is_said_in_its_own_way(language: str) -> None:
    said = {spoken(say_time(minute, language), language) for minute in EVERY_MINUTE}
    assert len(said) == 24 * 60


def test_mandarin_times_name_hour_and_minute() -> None:
    for at in EVERY_MINUTE:
        found = re.fullmatch(r"(\w\w)(\w+?)点(?:(\w+)分)?", spoken(say_time(at, "zh"), "zh"))
        assert found
        period, hour, minute = found.groups()
        hours = {in_mandarin(at.hour), in_mandarin(at.hour % 12 or 12)}
        assert hour.replace("两", "二") in hours
        assert (hour == "两") == (at.hour in {2, 14})
        assert period == expected_period(at)
        expected = in_mandarin(at.minute)
        assert minute == ((expected if at.minute >= 10 else f"零{expected}") if at.minute else None)


def expected_period(at: time) -> str:
    if at == time(0, 0):
        return "午夜"
    return next(
        name
        for end, name in ((5, "凌晨"), (8, "清晨"), (12, "上午"), (13, "中午"), (19, "下午"), (24, "晚上"))
        if at.hour < end
    )


@pytest.mark.parametrize(
    ("at", "english", "mandarin"),
    [
        (time(0, 0), "midnight", "午夜十二点"),
        (time(0, 30), "twelve thirty in the morning", "凌晨零点三十分"),
        (time(2, 5), "two oh five in the morning", "凌晨两点零五分"),
        (time(9, 15), "nine fifteen in the morning", "上午九点十五分"),
        (time(12, 0, 59), "noon", "中午十二点"),
        (time(12, 30), "twelve thirty in the afternoon", "中午十二点三十分"),
        (time(14, 0), "two o'clock in the afternoon", "下午两点"),
        (time(20, 21), "eight twenty one in the evening", "晚上八点二十一分"),
        (time(23, 59, 59), "eleven fifty nine at night", "晚上十一点五十九分"),
    ],
)
def test_times_sound_as_people_say_them(at: time, english: str, mandarin: str) -> None:
    assert spoken(say_time(at, "en"), "en") == english
    assert spoken(say_time(at, "zh"), "zh") == mandarin


def ordinal_suffix(number: int) -> str:
    return "th" if number in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


# The ends of ordinals are the same in words and figures, but for these.
SUFFIXES = {"st": "first", "nd": "second", "rd": "third"}


@given(st.dates(date(1901, 1, 1), date(2099, 12, 31)))
def test_english_dates_have_babels_month_and_the_right_ordinal(day: date) -> None:
    said = spoken(say_date(day, "en"), "en")
    assert said.startswith("the ")
    ordinal, month = said.removeprefix("the ").split(" of ")
    assert month == get_month_names("wide", locale="en")[day.month]
    assert ordinal.endswith(SUFFIXES.get(ordinal_suffix(day.day), "th"))


def test_every_day_of_a_month_has_its_own_words() -> None:
    for language in ("zh", "en"):
        assert len({spoken(say_date(date(2026, 1, day), language), language) for day in range(1, 32)}) == 31


@given(st.dates(date(1000, 1, 1), date(2999, 12, 31)))
def test_mandarin_dates_are_babels_in_words(day: date) -> None:
    said = spoken(say_date(day, "zh", with_year=True), "zh")
    year, month, number = map(int, re.findall(r"\d+", format_date(day, "long", locale="zh")))
    digits = "".join(MANDARIN_DIGITS[int(digit)] for digit in str(year))
    assert said == f"{digits}年{in_mandarin(month)}月{in_mandarin(number)}号"


@pytest.mark.parametrize(
    ("year", "words"),
    [
        (1900, "nineteen hundred"),
        (1905, "nineteen oh five"),
        (1999, "nineteen ninety nine"),
        (2000, "two thousand"),
        (2005, "two thousand and five"),
        (2026, "twenty twenty six"),
        (2100, "twenty one hundred"),
    ],
)
def test_english_years_are_said_in_pairs(year: int, words: str) -> None:
    assert spoken(say_date(date(year, 5, 3), "en", with_year=True), "en") == f"the third of May {words}"


@given(st.dates())
def test_week_days_are_babels(day: date) -> None:
    for language in ("zh", "en"):
        assert spoken(say_weekday(day), language) == get_day_names("wide", locale=language)[day.weekday()]


def test_a_day_near_today_has_a_name_of_its_own() -> None:
    today = date(2026, 5, 3)
    for days, english, mandarin in ((-1, "yesterday", "昨天"), (0, "today", "今天"), (1, "tomorrow", "明天")):
        near = say_day(today + timedelta(days), today, "en")
        assert (spoken(near, "en"), spoken(near, "zh")) == (english, mandarin)


def test_another_day_is_named_in_full() -> None:
    today, day = date(2026, 5, 1), date(2026, 5, 4)
    assert spoken(say_day(day, today, "en"), "en") == "Monday the fourth of May"
    assert spoken(say_day(day, today, "zh"), "zh") == "五月四号星期一"
    assert spoken(say_day(date(2027, 5, 4), today, "zh"), "zh") == "二零二七年五月四号星期二"
