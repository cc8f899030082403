"""Whole numbers as prompts, in English and in Mandarin. Pure."""

from __future__ import annotations

from firmware.errors import PromptError

ENGLISH, MANDARIN = "en", "zh"
LARGEST_NUMBER = 9_999_999

_HUNDRED, _THOUSAND, _TEN_THOUSAND, _MILLION = 100, 1_000, 10_000, 1_000_000
_ENGLISH_SIZES = ((_MILLION, "number_million"), (_THOUSAND, "number_thousand"), (_HUNDRED, "number_hundred"))
_MANDARIN_SIZES = (
    (_TEN_THOUSAND, "number_ten_thousand"),
    (_THOUSAND, "number_thousand"),
    (_HUNDRED, "number_hundred"),
)
# "and" in English, 零 in Mandarin: both stand where a number leaves places out, as in one hundred and five, 一百零五.
LINK = "number_and"
_PAIR = "number_pair"


def number(value: int, language: str) -> list[str]:
    """A number by itself, 0 to `LARGEST_NUMBER`. Raises: PromptError beyond, or for another language."""
    if not 0 <= value <= LARGEST_NUMBER:
        raise PromptError(f"{value} is not a number that our prompts can say; 0 to {LARGEST_NUMBER} are")
    return _in_mandarin(value) if is_mandarin(language) else _in_english(value)


def counted(value: int, language: str) -> list[str]:
    """A number before what is counted: two of something is 两 in Mandarin. Raises: PromptError, as `number`."""
    return [_PAIR] if value == 2 and is_mandarin(language) else number(value, language)


def is_mandarin(language: str) -> bool:
    """Which of our two languages it is. Raises: PromptError for any other."""
    if language not in {ENGLISH, MANDARIN}:
        raise PromptError(f'there are no spoken forms in the language "{language}"; there are {ENGLISH} and {MANDARIN}')
    return language == MANDARIN


def _in_english(value: int) -> list[str]:
    """As in "one thousand two hundred and five", with the "and" of British English."""
    for size, name in _ENGLISH_SIZES:
        if value >= size:
            count, rest = divmod(value, size)
            parts = [*_in_english(count), name]
            link = [LINK] if 0 < rest < _HUNDRED else []
            return [*parts, *link, *_in_english(rest)] if rest else parts
    return _below_hundred(value)


def _in_mandarin(value: int, *, leads: bool = True) -> list[str]:
    """As in 一万二千零五. `leads` is false for what follows within a number.

    Two is 两 where it leads before 千 and 万, else 二: 两千二百, 两万二千. Ten is 十 alone and 一十 within a number.
    """
    for size, name in _MANDARIN_SIZES:
        if value >= size:
            count, rest = divmod(value, size)
            pair = leads and count == 2 and size != _HUNDRED
            parts = [*([_PAIR] if pair else _in_mandarin(count)), name]
            # One 零 fills any gap.
            gap = [LINK] if rest < size // 10 else []
            return [*parts, *gap, *_in_mandarin(rest, leads=False)] if rest else parts
    one = ["number_1"] if 10 <= value < 20 and not leads else []
    return [*one, *_below_hundred(value)]


def _below_hundred(value: int) -> list[str]:
    """Tens and digit, the same in both languages: twenty-five, 二十五."""
    tens, digit = divmod(value, 10)
    if value <= 20 or not digit:
        return [f"number_{value}"]
    return [f"number_{10 * tens}", f"number_{digit}"]
