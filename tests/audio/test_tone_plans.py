"""The ear's table of tones, against the table of the bench that sends them."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

import pytest

from firmware.audio.tone_plans import plan_countries, tone_plan
from firmware.events import LineTone
from firmware.simulation import tones as sender
from firmware.simulation.loop import ToneKind

_ISO = {"uk": "GB"}


def table() -> dict[str, dict[str, Any]]:
    return tomllib.loads(resources.files("firmware.audio").joinpath("tone_plans.toml").read_text("utf-8"))


def test_both_tables_know_the_same_countries() -> None:
    assert plan_countries() == sorted(_ISO.get(country, country.upper()) for country in sender.countries())
    assert set(plan_countries()) >= {"CN", "US", "GB", "DE", "FR", "HK", "TW", "SG", "JP", "AU", "MY"}


@pytest.mark.parametrize("country", sender.countries())
@pytest.mark.parametrize("kind", list(ToneKind))
def test_both_tables_agree(country: str, kind: ToneKind) -> None:
    sent = sender.tone_plan(country).tones[kind]
    sought = table()[_ISO.get(country, country.upper())][kind.value]
    assert tuple(sought["hz"]) == sent.frequencies_hz
    assert tuple(sought.get("cadence_ms", ())) == sent.cadence_ms
    assert sought.get("modulated_by_hz", 0) == sent.modulated_by_hz
    assert tuple(sought.get("softer_db", (0,))) == sent.softer_db


@pytest.mark.parametrize("code", ["GB", "gb", "UK", "uk"])
def test_either_name_and_case(code: str) -> None:
    assert tone_plan(code) == tone_plan("GB") is not None


def test_a_country_without_a_plan() -> None:
    assert tone_plan("ZZ") is None


def test_what_sounds_the_same_has_one_name() -> None:
    japan = tone_plan("JP")
    assert japan is not None
    assert [pattern.tone for pattern in japan.patterns] == [LineTone.DIAL, LineTone.BUSY, LineTone.RINGBACK]


def test_frequencies_that_a_block_cannot_tell_apart_are_one_chord() -> None:
    australia, britain = tone_plan("AU"), tone_plan("GB")
    assert australia is not None
    assert britain is not None
    assert australia.chords == ((413, 438),)
    assert set(britain.chords) == {(350, 440), (400, 450), (400,)}
