"""One telephone, one spelling."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, is_possible_number, parse

from collector.records.numbers import canonical


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True) | st.from_regex(r"179[0-9]{8}", fullmatch=True))
def test_a_chinese_mobile_number_is_what_the_library_makes_of_it(number: str) -> None:
    try:
        parsed = parse(number, "CN")
        expected = format_number(parsed, PhoneNumberFormat.E164) if is_possible_number(parsed) else number
    except NumberParseException:
        expected = number
    assert canonical(number, "CN") == expected
