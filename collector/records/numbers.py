"""Which spellings of a telephone number mean one telephone. Pure. The collector's only import of phonenumbers.

The appliance judges in the same way, so that both ends erase the same records.
"""

from __future__ import annotations

import re
from functools import lru_cache

from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, is_possible_number, parse

LONGEST = 64
# Most callers. The library says the same of them, and takes longer than all the rest of a record; 179 dials others.
_CHINESE_MOBILE = re.compile(r"1(?!79)[3-9][0-9]{9}", re.ASCII)


@lru_cache(maxsize=4096)
def canonical(number: str, country: str) -> str:
    """`number` as E.164, read as somebody in `country` (ISO 3166, two letters) dials it.

    What is no number of any length that the country has, such as an extension, is only itself.
    """
    number = number[:LONGEST]
    if country == "CN" and _CHINESE_MOBILE.fullmatch(number):
        return f"+86{number}"
    try:
        parsed = parse(number, country)
    except NumberParseException:
        return number
    parsed.extension = None
    return format_number(parsed, PhoneNumberFormat.E164) if is_possible_number(parsed) else number
