"""Tones of the exchange, as the bench's exchange sends them, and what must not be taken for one."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.audio.line_ear import LineEar
from firmware.audio.tone_plans import plan_countries
from firmware.events import KeyHeard, LineTone, Sound, ToneHeard
from firmware.pcm import SampleFormat
from firmware.ports import ToneEar
from firmware.simulation.loop import ToneKind
from firmware.simulation.synthesis import dtmf
from firmware.simulation.tones import countries
from firmware.units import seconds_to_samples
from tests.audio.tone_sounds import (
    PROJECT,
    SPOKEN_DIGITS,
    exchange_tone,
    hear,
    name_of,
    noisy,
    recordings,
    silence,
    talk,
    through,
)

_LEAD_SECONDS = 0.507
# The ear works in blocks of 30 ms, and names the block before the one that the first burst fills.
_NOT_EARLIER_SECONDS = 0.06

EVERY_TONE = [pytest.param(country, kind, id=f"{country}-{kind.value}") for country in countries() for kind in ToneKind]


def tones_in(s16: bytes, country: str) -> list[tuple[float, ToneHeard]]:
    heard = hear(s16, country)
    assert all(isinstance(sound, ToneHeard) for _, sound in heard), heard
    return [(told_at, sound) for told_at, sound in heard if isinstance(sound, ToneHeard)]


def is_named_in_time(s16: bytes, country: str, kind: ToneKind, lead_seconds: float = _LEAD_SECONDS) -> None:
    """Once, by its right name, within 2 s, and from where it began."""
    told = tones_in(s16, country)
    assert [sound.tone for _, sound in told] == [name_of(country, kind)]
    told_at, sound = told[0]
    assert told_at - lead_seconds <= 2.0
    earliest = seconds_to_samples(max(0.0, lead_seconds - _NOT_EARLIER_SECONDS))
    assert earliest <= sound.began_at_samples <= seconds_to_samples(lead_seconds)


@pytest.mark.parametrize(("country", "kind"), EVERY_TONE)
class TestEveryTone:
    @pytest.mark.parametrize("level_dbfs", [-10.0, -18.0, -40.0])
    def test_is_named_at_every_level(self, country: str, kind: ToneKind, level_dbfs: float) -> None:
        sound = silence(_LEAD_SECONDS) + exchange_tone(country, kind, level_dbfs=level_dbfs)
        is_named_in_time(sound, country, kind)

    @pytest.mark.parametrize("off", [-0.01, 0.01])
    def test_is_named_when_its_frequency_is_off(self, country: str, kind: ToneKind, off: float) -> None:
        is_named_in_time(silence(_LEAD_SECONDS) + exchange_tone(country, kind, off=off), country, kind)

    def test_is_named_on_a_noisy_line(self, country: str, kind: ToneKind) -> None:
        sound = silence(_LEAD_SECONDS) + exchange_tone(country, kind, level_dbfs=-25.0)
        is_named_in_time(noisy(sound, -45.0), country, kind)

    def test_is_named_in_a_modems_samples(self, country: str, kind: ToneKind) -> None:
        sound = silence(_LEAD_SECONDS) + exchange_tone(country, kind, level_dbfs=-25.0)
        for sample_format in (SampleFormat.U8, SampleFormat.ULAW):
            is_named_in_time(through(sound, sample_format), country, kind)

    def test_is_named_when_it_sounds_already(self, country: str, kind: ToneKind) -> None:
        is_named_in_time(exchange_tone(country, kind), country, kind, lead_seconds=0.0)

    def test_is_told_once_however_long_it_lasts(self, country: str, kind: ToneKind) -> None:
        told = tones_in(exchange_tone(country, kind, seconds=14.0), country)
        assert [sound.tone for _, sound in told] == [name_of(country, kind)]

    def test_is_found_behind_talk(self, country: str, kind: ToneKind) -> None:
        spoken = talk()[: 2 * seconds_to_samples(3.0)] + silence(0.4)
        is_named_in_time(spoken + exchange_tone(country, kind), country, kind, lead_seconds=3.4)


class TestHardCases:
    @pytest.mark.parametrize("seed", [1, 2, 3])
    @pytest.mark.parametrize("kind", [ToneKind.DIAL, ToneKind.BUSY, ToneKind.CONGESTION])
    @pytest.mark.parametrize("country", [country for country in countries() if country != "au"])
    def test_noise_10_db_below_the_tone(self, country: str, kind: ToneKind, seed: int) -> None:
        sound = silence(_LEAD_SECONDS) + exchange_tone(country, kind)
        assert [tone.tone for _, tone in tones_in(noisy(sound, -28.0, seed), country)] == [name_of(country, kind)]

    def test_clicks_and_dips_do_not_hide_a_tone(self) -> None:
        """A click of 10 ms in the first pause, and a hole of 10 ms in the first burst."""
        sound = bytearray(silence(_LEAD_SECONDS) + exchange_tone("cn", ToneKind.BUSY))
        hole, click = 2 * seconds_to_samples(_LEAD_SECONDS + 0.1), 2 * seconds_to_samples(_LEAD_SECONDS + 0.5)
        sound[hole : hole + 160] = bytes(160)
        sound[click : click + 160] = b"\0\x40\0\xc0" * 40
        is_named_in_time(bytes(sound), "cn", ToneKind.BUSY)

    def test_a_tone_that_comes_back_after_talk_is_told_again(self) -> None:
        tone = exchange_tone("us", ToneKind.BUSY)
        told = tones_in(tone + talk()[:48000] + silence(0.4) + tone, "US")
        assert [sound.tone for _, sound in told] == [LineTone.BUSY, LineTone.BUSY]

    def test_one_tone_after_the_other(self) -> None:
        told = tones_in(exchange_tone("gb", ToneKind.RINGBACK, 6.4) + exchange_tone("gb", ToneKind.CONGESTION), "GB")
        assert [sound.tone for _, sound in told] == [LineTone.RINGBACK, LineTone.CONGESTION]

    def test_keys_and_tones_in_one_sound(self) -> None:
        sound = silence(0.3) + dtmf("5") + silence(0.3) + exchange_tone("de", ToneKind.BUSY) + dtmf("#") + silence(0.1)
        told = [heard.key if isinstance(heard, KeyHeard) else heard.tone.value for _, heard in hear(sound, "DE")]
        assert told == ["5", "busy", "#"]


class TestWhatIsNoTone:
    @pytest.mark.parametrize("country", plan_countries())
    def test_the_benchs_talk(self, country: str) -> None:
        assert not hear(talk(), country)

    @pytest.mark.parametrize("country", plan_countries())
    def test_our_own_prompts(self, country: str) -> None:
        prompts = recordings(PROJECT / "voice-prompts", "*/*.wav")
        assert len(prompts) > 2 * seconds_to_samples(60)
        assert not hear(prompts, country)

    @pytest.mark.skipif(not SPOKEN_DIGITS.is_dir(), reason="the recorded digits are not beside this project")
    @pytest.mark.parametrize("country", plan_countries())
    def test_spoken_digits(self, country: str) -> None:
        assert not hear(recordings(SPOKEN_DIGITS, "*.wav"), country)

    @pytest.mark.parametrize("country", plan_countries())
    def test_noise_and_silence(self, country: str) -> None:
        assert not hear(noisy(silence(10), -20.0) + silence(5), country)

    @pytest.mark.parametrize("seconds", [0.2, 0.5, 0.8])
    def test_one_beep(self, seconds: float) -> None:
        """Of another answering machine, or of our own."""
        for country, dial in (("CN", "cn"), ("FR", "fr"), ("US", "us")):
            assert not hear(exchange_tone(dial, ToneKind.DIAL, seconds) + silence(3), country)

    def test_another_countrys_tone(self) -> None:
        assert not hear(exchange_tone("us", ToneKind.BUSY, 6.0), "CN")


class TestPieces:
    SOUND = silence(0.2) + dtmf("7") + talk()[:16000] + silence(0.3) + exchange_tone("cn", ToneKind.BUSY, 2.5)

    @settings(max_examples=25)
    @given(cuts=st.lists(st.integers(0, len(SOUND)), max_size=30))
    def test_of_any_length_give_the_same(self, cuts: list[int]) -> None:
        ear: ToneEar = LineEar("CN")
        heard: list[Sound] = []
        places = [0, *sorted(cuts), len(self.SOUND)]
        for start, end in pairwise(places):
            heard += ear.hear(self.SOUND[start:end])
        assert heard == list(LineEar("CN").hear(self.SOUND))
        assert [type(sound) for sound in heard] == [KeyHeard, ToneHeard]

    @pytest.mark.parametrize("piece_bytes", [2, 6, 1000])
    def test_of_one_length_give_the_same(self, piece_bytes: int) -> None:
        whole: list[Any] = list(LineEar("CN").hear(self.SOUND))
        assert [sound for _, sound in hear(self.SOUND, "CN", piece_bytes)] == whole
