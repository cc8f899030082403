from __future__ import annotations

import numpy as np
import pytest

from firmware.pcm import SampleFormat, level_dbfs, to_array
from firmware.simulation.loop import ToneKind
from firmware.simulation.synthesis import DTMF_KEYS, dtmf, dtmf_frequencies, tone
from firmware.simulation.tones import TONE_LEVEL_DBFS, UnknownCountry, countries, tone_cycle, tone_plan

# ITU-T Q.23, written out apart from the code.
KEYPAD = {
    "1": (697, 1209), "2": (697, 1336), "3": (697, 1477), "A": (697, 1633),
    "4": (770, 1209), "5": (770, 1336), "6": (770, 1477), "B": (770, 1633),
    "7": (852, 1209), "8": (852, 1336), "9": (852, 1477), "C": (852, 1633),
    "*": (941, 1209), "0": (941, 1336), "#": (941, 1477), "D": (941, 1633),
}  # fmt: skip


def spectrum_peaks(s16: bytes, count: int) -> list[float]:
    samples = np.array(to_array(s16), dtype=float)
    strength = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    peaks: list[float] = []
    while len(peaks) < count:
        at = int(strength.argmax())
        peaks.append(at * 8000 / len(samples))
        strength[max(0, at - 3) : at + 4] = 0
    return sorted(peaks)


@pytest.mark.parametrize("key", sorted(DTMF_KEYS))
def test_a_key_is_its_row_and_its_column(key: str) -> None:
    assert dtmf_frequencies(key) == KEYPAD[key]
    assert spectrum_peaks(dtmf(key, 0.5), 2) == pytest.approx(sorted(KEYPAD[key]), abs=3)


def test_dtmf_has_the_level_and_the_twist_it_is_asked_for() -> None:
    keyed = dtmf("5", 0.2, level_dbfs=-15, twist_db=6)
    assert level_dbfs(keyed, SampleFormat.S16) == pytest.approx(-15, abs=0.1)
    samples = np.array(to_array(keyed), dtype=float)
    row, column = (
        abs(np.dot(samples, np.exp(-2j * np.pi * hz / 8000 * np.arange(len(samples))))) for hz in (770, 1336)
    )
    assert 20 * np.log10(column / row) == pytest.approx(6, abs=0.2)


def test_what_is_no_key_is_refused() -> None:
    with pytest.raises(KeyError):
        dtmf("E")
    with pytest.raises(KeyError):
        dtmf("12")


def test_every_country_of_the_reference_has_a_plan() -> None:
    assert set(countries()) == {"cn", "us", "uk", "de", "fr", "au", "jp", "tw", "sg", "my", "hk"}
    assert tone_plan("GB") is tone_plan("GB")
    assert tone_plan("GB").ring_ms == (400, 200, 400, 2000)


def test_an_unknown_country_is_named() -> None:
    with pytest.raises(UnknownCountry, match="'XX'"):
        tone_plan("XX")


@pytest.mark.parametrize("country", countries())
@pytest.mark.parametrize("kind", ToneKind)
def test_a_tone_has_its_frequencies_level_and_cadence(country: str, kind: ToneKind) -> None:
    plan = tone_plan(country)
    described = plan.tones[kind]
    cycle = plan.cycle(kind)
    if described.cadence_ms:
        assert len(cycle) == 2 * sum(described.cadence_ms) * 8
    first_on = cycle[: 16 * described.cadence_ms[0]] if described.cadence_ms else cycle * 40
    assert level_dbfs(first_on, SampleFormat.S16) == pytest.approx(TONE_LEVEL_DBFS, abs=0.3)
    found = spectrum_peaks(first_on[:8000], len(described.frequencies_hz))
    assert found == pytest.approx(sorted(described.frequencies_hz), abs=5)


def test_china_is_as_in_the_reference() -> None:
    plan = tone_plan("CN")
    assert plan.ring_ms == (1000, 4000)
    assert plan.tones[ToneKind.BUSY].cadence_ms == (350, 350)
    assert plan.tones[ToneKind.CONGESTION].cadence_ms == (700, 700)
    assert {tone.frequencies_hz for tone in plan.tones.values()} == {(450,)}


@pytest.mark.parametrize("country", countries())
def test_a_continuous_tone_joins_itself_without_a_click(country: str) -> None:
    cycle = np.array(to_array(tone_plan(country).cycle(ToneKind.DIAL)), dtype=int)
    steps = np.abs(np.diff(cycle))
    assert abs(cycle[0] - cycle[-1]) <= steps.max() + 1


def test_the_second_burst_of_australian_congestion_is_softer() -> None:
    cycle = tone_plan("AU").cycle(ToneKind.CONGESTION)
    first, second = cycle[: 16 * 375], cycle[16 * 750 : 16 * 1125]
    assert level_dbfs(first, SampleFormat.S16) - level_dbfs(second, SampleFormat.S16) == pytest.approx(10, abs=0.2)


def test_synthesis_is_done_once() -> None:
    plan = tone_plan("US")
    assert plan.cycle(ToneKind.BUSY) is tone_cycle(plan.tones[ToneKind.BUSY])
    assert tone((1000,), 0.4) is tone((1000,), 0.4)
