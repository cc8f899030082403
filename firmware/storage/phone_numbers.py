"""Which spellings of a telephone number mean one telephone. Pure.

An exchange tells +86 138 0013 8000 one day and 138 0013 8000 the next, and callers key what they like. Only erasing
imports this module: it must find all of one person, and the tables of all countries take memory that no service needs.
"""

from __future__ import annotations

from collections.abc import Callable

from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, is_possible_number, parse


def canonical(number: str, country: str) -> str:
    """`number` as E.164, read as somebody in `country` (ISO 3166, two letters) dials it.

    What is no number of any length that the country has, such as an extension, is only itself.
    """
    try:
        parsed = parse(number, country)
    except NumberParseException:
        return number
    parsed.extension = None
    return format_number(parsed, PhoneNumberFormat.E164) if is_possible_number(parsed) else number


def same_number_as(number: str, country: str) -> Callable[[str], bool]:
    """Whether another spelling means the same telephone."""
    wanted = canonical(number, country)
    return lambda other: other == number or canonical(other, country) == wanted
