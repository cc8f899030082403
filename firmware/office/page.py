"""The status page as HTML: no scripts, nothing from elsewhere, readable on a phone. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import lru_cache
from html import escape
from importlib import resources
from typing import Any

from firmware.office.facts import DeliveryFact, Facts, LineFact, PowerFact

LANGUAGES = ("zh", "en")
_MOST_PREFERENCES = 10
_TAGS = {"zh": "zh-CN", "en": "en"}
_REFRESH_SECONDS = 15

STYLE = """
:root{color-scheme:light dark}
body{font:1.05rem/1.5 system-ui,sans-serif;margin:0 auto;max-width:40rem;padding:1rem}
h1{font-size:1.3rem}h2{font-size:1.05rem;margin:1.2rem 0 .3rem}
p{margin:.2rem 0}.well{border-left:.4rem solid #2a8a3e;padding-left:.6rem}
.unwell{border-left:.4rem solid #c62828;padding-left:.6rem}
ul{list-style:none;margin:0;padding:0}li{border-top:1px solid #8886;padding:.4rem 0}
.fault{color:#c62828;overflow-wrap:anywhere}nav{float:right}
"""


def choose_language(asked: str | None, accepted: str, default: str) -> str:
    """`asked` (from `?lang=`), else the first known one of an Accept-Language header, else the default."""
    if asked in LANGUAGES:
        return asked
    ranked = sorted(_preferences(accepted), key=lambda preference: -preference[1])
    known = (tag for tag, weight in ranked if weight > 0 and tag in LANGUAGES)
    return next(known, default)


def status_page(facts: Facts, language: str) -> str:
    """The whole page."""
    words = _words(language)
    other = next(each for each in LANGUAGES if each != language)
    state = "well" if facts.well else "unwell"
    parts = [
        f'<nav><a href="?lang={other}" lang="{_TAGS[other]}">{escape(words["other_language"])}</a></nav>',
        f"<h1>{escape(words['title'])}</h1>",
        f'<p class="{state}">{escape(words[state])}</p>',
        *_section(words["lines"], "".join(_line(line, words) for line in facts.lines)),
        *_section(words["power"], _item(_power(facts.power, words))),
        *_section(words["disk"], _item(_disk(facts, words))),
        *(_section(words["delivery"], _item(_delivery(facts.delivery, words))) if facts.delivery else ()),
        *_section(words["incidents"], _item(_or_unknown(facts.open_incidents, words))),
        *_section(words["version"], _item(facts.version)),
    ]
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="refresh" content="{_REFRESH_SECONDS}">'
        f"<title>{escape(words['title'])}</title><style>{STYLE}</style>"
    )
    return f'<!doctype html><html lang="{_TAGS[language]}"><head>{head}</head><body>{"".join(parts)}</body></html>'


def _section(title: str, items: str) -> tuple[str, str]:
    return f"<h2>{escape(title)}</h2>", f"<ul>{items}</ul>"


def _item(text: str) -> str:
    return f"<li>{escape(text)}</li>"


def _line(line: LineFact, words: dict[str, Any]) -> str:
    state = words["line_states"].get(line.state, line.state)
    fault = f'<p class="fault">{escape(line.fault)}</p>' if line.fault else ""
    return f"<li><strong>{escape(line.name)}</strong> {escape(state)}{fault}</li>"


def _power(power: PowerFact, words: dict[str, Any]) -> str:
    return ", ".join(_power_words(power, words))


def _power_words(power: PowerFact, words: dict[str, Any]) -> Iterator[str]:
    yield words["power_states"].get(power.state, power.state)
    if power.battery_percent is not None:
        yield words["battery"].format(percent=f"{power.battery_percent:.0f}")
    if power.tier:
        yield words["tier"].format(tier=power.tier)
    if power.proved is False:
        yield words["unproved"]


def _disk(facts: Facts, words: dict[str, Any]) -> str:
    if facts.free_megabytes is None:
        return str(words["unknown"])
    text: str = words["full" if facts.voice_room is False else "free"]
    return text.format(megabytes=facts.free_megabytes)


def _delivery(delivery: DeliveryFact, words: dict[str, Any]) -> str:
    if delivery.queued is None:
        return str(words["unknown"])
    waits: str = words["waiting" if delivery.queued else "delivered"]
    told = [waits.format(queued=delivery.queued, hours=f"{(delivery.oldest_seconds or 0.0) / 3600:.1f}")]
    if delivery.set_aside:
        told.append(words["set_aside"].format(records=delivery.set_aside))
    return str(words["joint"]).join(told)


def _or_unknown(value: int | None, words: dict[str, Any]) -> str:
    return str(words["unknown"] if value is None else value)


@lru_cache(maxsize=len(LANGUAGES))
def _words(language: str) -> dict[str, Any]:
    text = resources.files(__package__).joinpath("words.toml").read_text(encoding="utf-8")
    words: dict[str, Any] = tomllib.loads(text)[language]
    return words


def _preferences(accepted: str) -> Iterator[tuple[str, float]]:
    """RFC 9110 section 12.5.4; only the first part of a tag counts, and what is no preference is passed over."""
    for preference in accepted.split(",")[:_MOST_PREFERENCES]:
        tag, _, parameters = preference.partition(";")
        weight = parameters.strip().removeprefix("q=") if parameters else "1"
        try:
            yield tag.strip().lower().partition("-")[0], float(weight)
        except ValueError:
            continue
