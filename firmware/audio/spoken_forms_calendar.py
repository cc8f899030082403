"""Times of day, dates and week days as prompts. Pure."""

from __future__ import annotations

from datetime import date, time

from firmware.audio.spoken_forms_numbers import counted, is_mandarin, number
from firmware.audio.spoken_forms_rules import day_period

_OH = "number_oh"
_NEAR_DAYS = {-1: "date_yesterday", 0: "date_today", 1: "date_tomorrow"}


def say_time(at: time, language: str) -> list[str]:
    """As in "two thirty in the afternoon", 下午两点三十分; the seconds are left out. Raises: PromptError."""
    period = f"period_{day_period(at, language)}"
    if is_mandarin(language):
        return [period, *_clock_in_mandarin(at, period)]
    if period in {"period_noon", "period_midnight"}:
        return [period]
    return [*_clock_in_english(at), period]


def say_date(day: date, language: str, *, with_year: bool = False) -> list[str]:
    """As in "the third of May", 五月三号; with the year "the third of May, twenty twenty-six". Raises: PromptError."""
    if is_mandarin(language):
        year = [*_digit_by_digit(day.year), "date_year"] if with_year else []
        return [*year, f"month_{day.month}", f"day_{day.day}"]
    return [f"day_{day.day}", f"month_{day.month}", *(_year_in_english(day.year) if with_year else ())]


def say_weekday(day: date) -> list[str]:
    """As in "Monday", 星期一; the same in every language."""
    return [f"weekday_{day.isoweekday()}"]


def say_day(day: date, today: date, language: str) -> list[str]:
    """As people name a day: "today", "tomorrow", or "Monday, the third of May". Raises: PromptError."""
    near = _NEAR_DAYS.get((day - today).days)
    if near:
        return [near]
    whole_date = say_date(day, language, with_year=day.year != today.year)
    # Mandarin goes from the large to the small: 五月三号星期一.
    return [*whole_date, *say_weekday(day)] if is_mandarin(language) else [*say_weekday(day), *whole_date]


def _clock_in_mandarin(at: time, period: str) -> list[str]:
    hour = at.hour if period == "period_night1" else at.hour % 12 or 12
    minutes = [*_minutes(at.minute, "zh"), "time_minutes"] if at.minute else []
    return [*counted(hour, "zh"), "time_oclock", *minutes]


def _clock_in_english(at: time) -> list[str]:
    minutes = _minutes(at.minute, "en") if at.minute else ["time_oclock"]
    return [*number(at.hour % 12 or 12, "en"), *minutes]


def _minutes(minute: int, language: str) -> list[str]:
    return [*([_OH] if minute < 10 else ()), *number(minute, language)]


def _digit_by_digit(year: int) -> list[str]:
    """二零二六: with 一, not the 幺 of telephone numbers."""
    return [f"number_{digit}" for digit in str(year)]


def _year_in_english(year: int) -> list[str]:
    """As in "twenty twenty-six", "nineteen oh five", "two thousand and five"."""
    century, rest = divmod(year, 100)
    if century == 0 or (century % 10 == 0 and rest < 10):
        return number(year, "en")
    if not rest:
        return [*number(century, "en"), "number_hundred"]
    return [*number(century, "en"), *_minutes(rest, "en")]
