"""The status page: whole in both languages, safe whatever stands in it, nothing from elsewhere."""

from __future__ import annotations

import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import firmware.office
from firmware.events import LineState, PowerState
from firmware.office.facts import DeliveryFact, Facts, LineFact, PowerFact
from firmware.office.page import LANGUAGES, choose_language, status_page

WORDS = tomllib.loads((Path(firmware.office.__file__).parent / "words.toml").read_text(encoding="utf-8"))


def facts(**changes: object) -> Facts:
    usual: dict[str, object] = {
        "version": "1.0",
        "lines": (LineFact("front", "idle", None),),
        "power": PowerFact("on_mains", 0, 80.0, True),
        "free_megabytes": 900,
        "voice_room": True,
        "open_incidents": 0,
    }
    return Facts(**{**usual, **changes})  # type: ignore[arg-type]


class Tags(HTMLParser):
    """Every tag with its attributes, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_both_languages_have_every_word_and_every_state() -> None:
    assert WORDS["zh"].keys() == WORDS["en"].keys()
    for language in LANGUAGES:
        assert WORDS[language]["line_states"].keys() == {state.value for state in LineState}
        assert WORDS[language]["power_states"].keys() == {state.value for state in PowerState}


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_loaded_from_anywhere_and_nothing_runs(language: str) -> None:
    page = Tags(status_page(facts(), language))
    assert not {"script", "img", "iframe", "link", "form", "object"} & set(page.tags)
    assert all(link.startswith("?lang=") for link in page.links)


def test_trouble_is_told() -> None:
    lines = (LineFact("front", "fault", "the modem is gone"),)
    text = Tags(
        status_page(facts(lines=lines, open_incidents=2, power=PowerFact("on_battery", 1, 41.6, False)), "en")
    ).text
    for words in ("needs attention", "the modem is gone", "on battery", "battery 42 %", "1 tiers", "test not done"):
        assert words in text


def test_what_nobody_knows_is_told_as_unknown() -> None:
    text = Tags(status_page(facts(power=PowerFact("unknown"), free_megabytes=None, open_incidents=None), "en")).text
    assert text.count("unknown") == 3


@given(st.text(), st.text(), st.text())
def test_no_text_becomes_a_tag(name: str, state: str, fault: str) -> None:
    plain = Tags(status_page(facts(lines=(LineFact("a", "b", "c"),)), "zh")).tags
    assert Tags(status_page(facts(lines=(LineFact(name, state, fault or "x"),)), "zh")).tags == plain


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        (None, "", "zh"), ("en", "zh-CN", "en"), ("fr", "en-GB,zh;q=0.5", "en"),
        (None, "fr, zh-TW;q=0.8, en;q=0.3", "zh"),
        (None, "en;q=0", "zh"), (None, "de, fr;q=x", "zh"), (None, "EN-us", "en"),
    ],
)  # fmt: skip
def test_language_is_asked_for_else_preferred_else_the_first(asked: str | None, accepted: str, language: str) -> None:
    assert choose_language(asked, accepted, "zh") == language


@given(st.none() | st.text(), st.text())
def test_any_header_chooses_a_language(asked: str | None, accepted: str) -> None:
    assert choose_language(asked, accepted, "en") in LANGUAGES


@pytest.mark.parametrize(
    ("delivery", "told", "well"),
    [
        (None, None, True),
        (DeliveryFact(), "unknown", True),
        (DeliveryFact(0), "everything is delivered", True),
        (DeliveryFact(12, 5400.0), "12 records wait, the oldest for 1.5 h", True),
        (DeliveryFact(0, None, 2), "everything is delivered; 2 were refused and set aside", False),
    ],
)
def test_delivery_is_told_where_there_is_any(delivery: DeliveryFact | None, told: str | None, well: bool) -> None:
    here = facts(delivery=delivery)
    text = Tags(status_page(here, "en")).text
    assert (told is None) == ("Delivery" not in text)
    assert told is None or f"Delivery{told}Open" in text
    assert here.well is well
