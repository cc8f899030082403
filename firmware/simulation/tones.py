"""What an exchange sounds like, country by country; the table is tones.toml."""

from __future__ import annotations

import math
import tomllib
from array import array
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from firmware.errors import LinekeeperError
from firmware.pcm import from_array
from firmware.simulation.loop import ToneKind
from firmware.simulation.synthesis import amplitude, sines
from firmware.units import SAMPLE_RATE_HZ

# Within the range that exchanges use at the subscriber's end; quiet enough not to clip with speech over it.
TONE_LEVEL_DBFS = -18.0
# ISO 3166 says GB where tone plans say uk.
_OTHER_NAMES = {"gb": "uk"}


class UnknownCountry(LinekeeperError):
    """There is no tone plan for a country."""


@dataclass(frozen=True, slots=True)
class Tone:
    """One tone. An empty cadence is a continuous tone; `softer_db` goes through the bursts of the cadence."""

    frequencies_hz: tuple[int, ...]
    cadence_ms: tuple[int, ...] = ()
    modulated_by_hz: int = 0
    softer_db: tuple[int, ...] = (0,)

    @property
    def cycle_seconds(self) -> float:
        """After this the cadence begins again; 0 for a continuous tone."""
        return sum(self.cadence_ms) / 1000


@dataclass(frozen=True)
class TonePlan:
    """A country's tones, and how its bells ring (on, off, on, off ... in ms)."""

    country: str
    tones: dict[ToneKind, Tone]
    ring_ms: tuple[int, ...]

    def cycle(self, kind: ToneKind) -> bytes:
        """One turn of a tone as s16, to be repeated without a seam."""
        return tone_cycle(self.tones[kind])


# Loud and rising in China, four frequencies elsewhere; nothing in a modem listens for it, so one sound serves all.
HOWLER = Tone((1400, 2060, 2450, 2600), (100, 100))


@cache
def tone_plan(country: str) -> TonePlan:
    """The plan of a country, by ISO 3166 code in either case. Raises: UnknownCountry."""
    code = _OTHER_NAMES.get(country.lower(), country.lower())
    table = _table()
    if code not in table:
        raise UnknownCountry(f"no tone plan for country {country!r}; there are {', '.join(sorted(table))}")
    entry = table[code]
    return TonePlan(code, {kind: _tone(entry[kind.value]) for kind in ToneKind}, tuple(entry["ring_ms"]))


def countries() -> list[str]:
    """Every country that has a plan."""
    return sorted(_table())


@cache
def tone_cycle(tone: Tone, level_dbfs: float = TONE_LEVEL_DBFS) -> bytes:
    """One turn of a tone as s16; the level is that of a burst."""
    if not tone.cadence_ms:
        # Whole periods of every frequency fit into this many samples, so the turn joins itself without a click.
        samples = SAMPLE_RATE_HZ // math.gcd(SAMPLE_RATE_HZ, *tone.frequencies_hz, tone.modulated_by_hz)
        return from_array(_burst(tone, samples, level_dbfs))
    turn = array("h")
    for at, milliseconds in enumerate(tone.cadence_ms):
        samples = milliseconds * SAMPLE_RATE_HZ // 1000
        if at % 2:
            turn.extend(array("h", bytes(2 * samples)))
        else:
            softer_db = tone.softer_db[at // 2 % len(tone.softer_db)]
            turn.extend(_burst(tone, samples, level_dbfs - softer_db))
    return from_array(turn)


def _burst(tone: Tone, samples: int, level_dbfs: float) -> array[int]:
    peak = amplitude(level_dbfs) / math.sqrt(len(tone.frequencies_hz))
    if not tone.modulated_by_hz:
        return sines([(hz, peak) for hz in tone.frequencies_hz], samples)
    # Full amplitude modulation: the carrier with two side bands of half its height. 1.5 is the power of the three.
    peak /= math.sqrt(1.5)
    carriers = [(float(hz), peak) for hz in tone.frequencies_hz]
    sides = [(float(hz + side * tone.modulated_by_hz), peak / 2) for hz in tone.frequencies_hz for side in (-1, 1)]
    return sines(carriers + sides, samples)


@cache
def _table() -> dict[str, dict[str, Any]]:
    return tomllib.loads(resources.files("firmware.simulation").joinpath("tones.toml").read_text("utf-8"))


def _tone(entry: dict[str, Any]) -> Tone:
    return Tone(
        tuple(entry["hz"]),
        tuple(entry.get("cadence_ms", ())),
        entry.get("modulated_by_hz", 0),
        tuple(entry.get("softer_db", (0,))),
    )
