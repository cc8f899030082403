"""What Babel knows of languages: plurals, periods of the day, the coins of a currency. Babel is imported here only."""

from __future__ import annotations

from datetime import time
from functools import cache

from babel import Locale
from babel.dates import get_period_id
from babel.numbers import get_currency_precision


def plural(number: int, language: str) -> str:
    """The plural category that a whole number takes: `one` or `other` in our languages."""
    return _locale(language).plural_form(number)


def day_period(at: time, language: str) -> str:
    """What the day is divided into: `morning1`, `noon` and so on, by CLDR. Minutes count, seconds do not."""
    return get_period_id(at.replace(second=0, microsecond=0, tzinfo=None), locale=_locale(language))


def coin_digits(currency: str) -> int:
    """Decimals of an amount in this currency (ISO 4217)."""
    return get_currency_precision(currency)


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(language)
