"""What callers are told in numbers: counts, times, dates, durations and money, as prompts to be said in a row.

Every function is pure and returns identifiers of the catalogue; each has sound in both languages. `join` makes one
clip of them. Digits are said one by one, as wording asks for numbers that callers write down.
"""

from __future__ import annotations

from firmware.audio.spoken_forms_amounts import CURRENCIES, say_duration, say_money
from firmware.audio.spoken_forms_calendar import say_date, say_day, say_time, say_weekday
from firmware.audio.spoken_forms_joining import join
from firmware.audio.spoken_forms_numbers import LARGEST_NUMBER, counted, number
from firmware.audio.spoken_forms_rules import plural

__all__ = [
    "CURRENCIES",
    "LARGEST_NUMBER",
    "join",
    "say_count",
    "say_date",
    "say_day",
    "say_digits",
    "say_duration",
    "say_messages",
    "say_money",
    "say_number",
    "say_time",
    "say_weekday",
]

_DIGITS = {
    "*": "digit_star",
    "#": "digit_hash",
    "+": "digit_plus",
    **{digit: f"digit_{digit}" for digit in "0123456789"},
}


def say_digits(digits: str) -> list[str]:
    """Digits, `*`, `#` and `+` one by one, the same in every language; spaces and dashes are passed over."""
    return [_DIGITS[digit] for digit in digits if digit in _DIGITS]


def say_number(value: int, language: str) -> list[str]:
    """A number by itself, 0 to `LARGEST_NUMBER`: "one hundred and five", 一百零五. Raises: PromptError."""
    return number(value, language)


def say_count(value: int, language: str) -> list[str]:
    """A number before what is counted, 0 to `LARGEST_NUMBER`: Mandarin then has 两 for 二. Raises: PromptError."""
    return counted(value, language)


def say_messages(waiting: int, language: str) -> list[str]:
    """How many messages wait, as a whole sentence: "You have two messages.", 您有两条留言。 Raises: PromptError."""
    if waiting == 0:
        return ["messages_none"]
    return ["count_messages", *counted(waiting, language), f"messages_{plural(waiting, language)}"]
