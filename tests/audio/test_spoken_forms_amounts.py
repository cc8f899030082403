"""Durations and money, read back by arithmetic."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from firmware.audio.catalogue import default_folder, load_catalogue
from firmware.audio.spoken_forms import CURRENCIES, say_duration, say_money, say_number
from firmware.errors import PromptError

PROMPTS = load_catalogue(default_folder()).prompts
UNITS = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
# Numbers that the readers below know by their words.
WORDS: dict[str, dict[str, int]] = {"zh": {}, "en": {}}


def spoken(pieces: Sequence[str], language: str) -> str:
    return ("" if language == "zh" else " ").join(PROMPTS[piece].texts[language] for piece in pieces)


# 100.99 yen are 101.
for _number in range(102):
    for _language, _words in WORDS.items():
        _words[spoken(say_number(_number, _language), _language)] = _number
WORDS["zh"]["两"] = 2


@given(st.integers(0, 100 * 86_400))
def test_an_english_duration_adds_up(seconds: int) -> None:
    said = spoken(say_duration(seconds, "en"), "en").replace(" and ", " ")
    parts = re.findall(r"(.+?) (day|hour|minute|second)(s?)(?: |$)", said)
    assert sum(WORDS["en"][words] * UNITS[unit] for words, unit, _ in parts) == seconds
    assert all((plural == "s") == (WORDS["en"][words] != 1) for words, _, plural in parts)


@given(st.integers(0, 100 * 86_400))
def test_a_mandarin_duration_adds_up(seconds: int) -> None:
    said = spoken(say_duration(seconds, "zh"), "zh")
    units = {"天": 86_400, "小时": 3_600, "分钟": 60, "秒钟": 1}
    parts = re.findall(r"零?(\w+?)(天|小时|分钟|秒钟)", said) if seconds else [("零", "秒钟")]
    assert sum(WORDS["zh"][words] * units[unit] for words, unit in parts) == seconds
    assert all(words != "二" for words, _ in parts)


@pytest.mark.parametrize(
    ("seconds", "english", "mandarin"),
    [
        (0, "zero seconds", "零秒钟"),
        (1.9, "one second", "一秒钟"),
        (90, "one minute and thirty seconds", "一分钟三十秒钟"),
        (3605, "one hour and five seconds", "一小时零五秒钟"),
        (7200, "two hours", "两小时"),
        (90_061, "one day one hour one minute and one second", "一天一小时一分钟一秒钟"),
    ],
)
def test_durations_sound_as_people_say_them(seconds: float, english: str, mandarin: str) -> None:
    assert spoken(say_duration(seconds, "en"), "en") == english
    assert spoken(say_duration(seconds, "zh"), "zh") == mandarin


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf"), 1e15])
def test_a_duration_that_cannot_be_said_is_refused(seconds: float) -> None:
    with pytest.raises(PromptError, match="no duration"):
        say_duration(seconds, "en")


@pytest.mark.parametrize(
    ("amount", "currency", "english", "mandarin"),
    [
        ("12.50", "CNY", "twelve Chinese yuan and fifty fen", "十二元五角"),
        ("12.53", "CNY", "twelve Chinese yuan and fifty three fen", "十二元五角三分"),
        ("12.03", "CNY", "twelve Chinese yuan and three fen", "十二元零三分"),
        ("0.20", "CNY", "twenty fen", "两角"),
        ("0", "CNY", "zero Chinese yuan", "零元"),
        ("1", "USD", "one US dollar", "一美元"),
        ("2", "USD", "two US dollars", "两美元"),
        ("2.05", "USD", "two US dollars and five cents", "二点零五美元"),
        ("1.01", "GBP", "one British pound and one penny", "一点零一英镑"),
        ("0.99", "EUR", "ninety nine cents", "零点九九欧元"),
        ("1999.5", "JPY", "two thousand Japanese yen", "两千日元"),
        ("2.005", "AUD", "two Australian dollars and one cent", "二点零一澳大利亚元"),
    ],
)
def test_sums_sound_as_people_say_them(amount: str, currency: str, english: str, mandarin: str) -> None:
    assert spoken(say_money(Decimal(amount), currency, "en"), "en") == english
    assert spoken(say_money(Decimal(amount), currency, "zh"), "zh") == mandarin


@given(st.decimals(0, Decimal("100.99"), places=2), st.sampled_from(CURRENCIES))
def test_an_english_sum_adds_up(amount: Decimal, currency: str) -> None:
    said = spoken(say_money(amount, currency, "en"), "en")
    units = r"(?:([a-z ]+?) (?:[A-Z][A-Za-z ]*? )?(?:yuan|yen|dollars?|pounds?|euros?))?"
    parts = re.fullmatch(rf"{units}(?: and )?(?:([a-z ]+) (?:cents?|penny|pence|fen))?", said)
    assert parts, said
    total = WORDS["en"][parts[1] or "zero"] + Decimal(WORDS["en"][parts[2] or "zero"]) / 100
    rounded = amount if currency != "JPY" else Decimal(int(amount + Decimal("0.5")))
    assert total == rounded


@given(st.decimals(0, Decimal("100.99"), places=2), st.sampled_from(CURRENCIES))
def test_a_mandarin_sum_adds_up(amount: Decimal, currency: str) -> None:
    said = spoken(say_money(amount, currency, "zh"), "zh")
    rounded = amount if currency != "JPY" else Decimal(int(amount + Decimal("0.5")))
    assert (read_yuan if currency == "CNY" else read_point)(said) == rounded


def read_yuan(said: str) -> Decimal:
    parts = re.fullmatch(r"(?:(\w+?)元)?零?(?:(\w+?)角)?(?:(\w+?)分)?", said)
    assert parts, said
    sizes = (Decimal(1), Decimal("0.1"), Decimal("0.01"))
    return sum((WORDS["zh"][part] * size for part, size in zip(parts.groups(), sizes, strict=True) if part), Decimal(0))


def read_point(said: str) -> Decimal:
    number = re.sub("(美|欧|港|日|新加坡|澳大利亚)元$|英镑$|新台币$", "", said)
    whole, _, behind = number.partition("点")
    digits = "".join(str(WORDS["zh"][letter]) for letter in behind)
    return Decimal(f"{WORDS['zh'][whole]}.{digits or 0}")


@pytest.mark.parametrize("currency", CURRENCIES)
def test_currencies_have_babels_names(currency: str) -> None:
    for language, amount in (("en", 1), ("zh", 5)):
        name = PROMPTS[say_money(Decimal(amount), currency, language)[-1]].texts[language]
        known = Locale.parse(language).currencies[currency]
        # Babel's name of the Mandarin yuan is the currency's, 人民币; sums are said in 元.
        assert name.lower() == ("元" if known == "人民币" else known.lower())


@pytest.mark.parametrize("amount", ["-0.01", "10000000", "NaN", "Infinity"])
def test_a_sum_that_cannot_be_said_is_refused(amount: str) -> None:
    with pytest.raises(PromptError, match="not a sum that our prompts can say"):
        say_money(Decimal(amount), "USD", "en")


def test_an_unknown_currency_is_refused() -> None:
    with pytest.raises(PromptError, match='no prompts for the currency "XYZ"; there are'):
        say_money(Decimal(1), "XYZ", "en")
