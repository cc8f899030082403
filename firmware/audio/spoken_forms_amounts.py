"""Durations and sums of money as prompts. Pure."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from firmware.audio.spoken_forms_numbers import LARGEST_NUMBER, LINK, counted, is_mandarin, number
from firmware.audio.spoken_forms_rules import coin_digits, plural
from firmware.errors import PromptError

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
# The coin of each currency whose name we have.
_COINS = {
    **dict.fromkeys(("USD", "EUR", "HKD", "TWD", "SGD", "AUD"), "cent"),
    "CNY": "fen",
    "GBP": "penny",
    "JPY": "",
}
CURRENCIES = tuple(_COINS)
"""ISO 4217."""
_YUAN, _JIAO, _POINT = "CNY", "coin_jiao", "number_point"


def say_duration(seconds: float, language: str) -> list[str]:
    """As in "one hour and five seconds", 一小时零五秒钟; parts of a second are left out.

    Raises: PromptError where it is negative, or longer than a number can say.
    """
    if not 0 <= seconds < LARGEST_NUMBER * 86_400:
        raise PromptError(f"{seconds} seconds are no duration that our prompts can say")
    parts = _split(int(seconds)) or [(len(_UNITS) - 1, 0)]
    said: list[str] = []
    for at, (unit, count) in enumerate(parts):
        said += _link(parts, at, language)
        said += [*counted(count, language), f"unit_{_UNITS[unit][0]}_{plural(count, language)}"]
    return said


def say_money(amount: Decimal, currency: str, language: str) -> list[str]:
    """As in "twelve euros and fifty cents", 十二点五欧元, 十二元五角; rounded to the coin of the currency.

    Raises: PromptError for a currency that is not in `CURRENCIES`, a debt, and what a number cannot say.
    """
    if currency not in _COINS:
        raise PromptError(f'there are no prompts for the currency "{currency}"; there are {", ".join(CURRENCIES)}')
    if not amount.is_finite() or not 0 <= amount <= LARGEST_NUMBER:
        raise PromptError(f"{amount} {currency} is not a sum that our prompts can say; 0 to {LARGEST_NUMBER} are")
    digits = coin_digits(currency)
    coins = int(amount.scaleb(digits).quantize(Decimal(1), ROUND_HALF_UP))
    whole, rest = divmod(coins, 10**digits)
    if not is_mandarin(language):
        return _money_in_english(whole, rest, currency)
    return _yuan(whole, rest) if currency == _YUAN else _money_in_mandarin(whole, rest, digits, currency)


def _split(seconds: int) -> list[tuple[int, int]]:
    """Place in `_UNITS` and count of each unit that is not zero."""
    parts = []
    for place, (_, size) in enumerate(_UNITS):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append((place, count))
    return parts


def _link(parts: list[tuple[int, int]], at: int, language: str) -> list[str]:
    """English has "and" before the last part, Mandarin 零 where a unit is left out."""
    if at == 0:
        return []
    gap = parts[at][0] - parts[at - 1][0] > 1
    return [LINK] if (gap if is_mandarin(language) else at == len(parts) - 1) else []


def _money_in_english(whole: int, coins: int, currency: str) -> list[str]:
    units = [*number(whole, "en"), _name("currency", currency.lower(), whole, "en")]
    if not coins:
        return units
    small = [*number(coins, "en"), _name("coin", _COINS[currency], coins, "en")]
    return [*units, LINK, *small] if whole else small


def _yuan(whole: int, fen: int) -> list[str]:
    """元, 角 and 分, each where there is one: 十二元五角, 十二元零三分."""
    jiao, fen = divmod(fen, 10)
    said: list[str] = []
    if whole or not (jiao or fen):
        said += [*counted(whole, "zh"), _name("currency", "cny", whole, "zh")]
    if jiao:
        said += [*counted(jiao, "zh"), _JIAO]
    if fen:
        gap = [LINK] if whole and not jiao else []
        said += [*gap, *counted(fen, "zh"), _name("coin", "fen", fen, "zh")]
    return said


def _money_in_mandarin(whole: int, coins: int, digits: int, currency: str) -> list[str]:
    """十二点五欧元: the digits behind the point one by one."""
    name = _name("currency", currency.lower(), whole, "zh")
    if not coins:
        return [*counted(whole, "zh"), name]
    behind = f"{coins:0{digits}d}".rstrip("0")
    return [*number(whole, "zh"), _POINT, *(f"number_{digit}" for digit in behind), name]


def _name(kind: str, unit: str, count: int, language: str) -> str:
    return f"{kind}_{unit}_{plural(count, language)}"
