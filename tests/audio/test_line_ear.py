"""The ear that a line is given, and the ear for whole recordings."""

from __future__ import annotations

from firmware.audio.line_ear import LineEar, ear_maker, tones_problem
from firmware.audio.listening import listen_for_tones, listen_to
from firmware.events import KeyHeard, LineTone, ToneHeard
from firmware.simulation.loop import ToneKind
from firmware.simulation.synthesis import dtmf
from tests.audio.tone_sounds import exchange_tone, silence


class TestMaker:
    def test_makes_a_fresh_ear_each_time(self) -> None:
        make = ear_maker("CN")
        assert make is not None
        first, second = make(), make()
        first.hear(silence(1.0))
        assert list(second.hear(dtmf("6") + silence(0.1))) == [KeyHeard("6", 0)]
        assert first is not second

    def test_nothing_is_wrong_where_everything_is_there(self) -> None:
        assert tones_problem() is None
        assert tones_problem("CN") is None
        assert tones_problem("uk") is None


class TestCountryWithoutAPlan:
    def test_keys_are_heard_all_the_same(self) -> None:
        ear = LineEar("ZA")
        assert [*ear.hear(dtmf("2") + silence(0.1) + exchange_tone("cn", ToneKind.BUSY))] == [KeyHeard("2", 0)]

    def test_the_problem_names_it(self) -> None:
        problem = tones_problem("ZA")
        assert problem is not None
        assert "ZA" in problem
        assert "CN" in problem


class TestWholeRecordings:
    def test_keys_and_tones(self) -> None:
        number = b"".join(dtmf(key) + silence(0.1) for key in "13*#")
        assert listen_for_tones(number + exchange_tone("cn", ToneKind.BUSY, 2.0), "CN") == ("13*#", ["busy"])

    def test_what_ends_with_the_recording_is_heard(self) -> None:
        assert listen_for_tones(silence(0.2) + dtmf("0", 0.045), "CN") == ("0", [])
        # One burst of a ringback tone: certain only when a pause follows.
        assert listen_for_tones(silence(0.2) + exchange_tone("cn", ToneKind.RINGBACK, 1.0), "CN") == ("", ["ringback"])

    def test_places_are_counted_from_the_start(self) -> None:
        heard = listen_to(silence(1.0) + exchange_tone("us", ToneKind.DIAL, 2.0), "US")
        assert [type(sound) for sound in heard] == [ToneHeard]
        assert heard[0] == ToneHeard(LineTone.DIAL, heard[0].began_at_samples)
        assert 7500 <= heard[0].began_at_samples <= 8000

    def test_an_empty_recording(self) -> None:
        assert listen_for_tones(b"", "CN") == ("", [])
