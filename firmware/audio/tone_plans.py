"""What the tones of a country's exchanges are like, for the ear; the table is tone_plans.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from firmware.events import LineTone
from firmware.units import seconds_to_samples

# Not the ISO code, but what many write for GB.
_OTHER_NAMES = {"UK": "GB"}
# How much of the power a tone holds: nine tenths at a signal-to-noise ratio of 10 dB, where speech spreads its own.
# Full modulation puts up to half of it beside the frequency.
_LEAST_SHARE, _LEAST_MODULATED_SHARE = 0.6, 0.4
# Closer than this, two frequencies are one for blocks of 30 ms, whose filters reach 33 Hz to either side.
_SAME_FREQUENCY_HZ = 15


@dataclass(frozen=True, slots=True)
class TonePattern:
    """One tone. `cadence_samples` is on, off, on, off ...; empty for a continuous tone.

    `chord` is which of the plan's chords sounds; `softer_db` goes through the bursts of the cadence.
    """

    tone: LineTone
    chord: int
    cadence_samples: tuple[int, ...] = ()
    softer_db: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True)
class TonePlan:
    """A country's tones; each sounds unlike the others. A chord is one or two frequencies in Hz.

    `least_share` of the power must lie in a chord.
    """

    chords: tuple[tuple[int, ...], ...]
    patterns: tuple[TonePattern, ...]
    least_share: float


def plan_countries() -> list[str]:
    """Every country that has a plan, by ISO 3166 code."""
    return sorted(_table())


@cache
def tone_plan(country: str) -> TonePlan | None:
    """The plan of a country, by ISO 3166 code in either case; None for a country whose tones are not known here."""
    code = country.upper()
    entry = _table().get(_OTHER_NAMES.get(code, code))
    return None if entry is None else _plan(entry)


@cache
def _table() -> Mapping[str, Mapping[str, Any]]:
    text = resources.files("firmware.audio").joinpath("tone_plans.toml").read_text("utf-8")
    return tomllib.loads(text)


def _plan(entry: Mapping[str, Any]) -> TonePlan:
    chords = _chords([tuple(tone["hz"]) for tone in entry.values()])
    patterns: dict[tuple[object, ...], TonePattern] = {}
    for tone in LineTone:
        pattern = _pattern(tone, entry[tone.value], chords)
        # What sounds the same keeps its first name, and busy comes before congestion.
        patterns.setdefault((pattern.chord, pattern.cadence_samples, pattern.softer_db), pattern)
    modulated = any("modulated_by_hz" in tone for tone in entry.values())
    return TonePlan(chords, tuple(patterns.values()), _LEAST_MODULATED_SHARE if modulated else _LEAST_SHARE)


def _pattern(tone: LineTone, entry: Mapping[str, Any], chords: tuple[tuple[int, ...], ...]) -> TonePattern:
    hz = tuple(entry["hz"])
    chord = next(at for at, chord in enumerate(chords) if _sound_alike(hz, chord))
    cadence = tuple(seconds_to_samples(ms / 1000) for ms in entry.get("cadence_ms", ()))
    return TonePattern(tone, chord, cadence, tuple(entry.get("softer_db", (0,))))


def _chords(wanted: list[tuple[int, ...]]) -> tuple[tuple[int, ...], ...]:
    """Those that blocks of 30 ms can tell apart; the one with more frequencies stands for its likes."""
    chords: list[tuple[int, ...]] = []
    for hz in sorted(wanted, key=len, reverse=True):
        if not any(_sound_alike(hz, chord) for chord in chords):
            chords.append(hz)
    return tuple(chords)


def _sound_alike(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return _covers(one, other) and _covers(other, one)


def _covers(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return all(any(abs(hz - candidate) <= _SAME_FREQUENCY_HZ for candidate in one) for hz in other)
