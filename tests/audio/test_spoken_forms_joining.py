"""Pieces joined to a phrase, with the sounds that callers hear."""

from __future__ import annotations

from array import array
from datetime import date, time, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.audio.catalogue import default_folder
from firmware.audio.level import active_level_dbfs
from firmware.audio.shelf import Shelf
from firmware.audio.spoken_forms import (
    CURRENCIES,
    LARGEST_NUMBER,
    join,
    say_count,
    say_date,
    say_digits,
    say_duration,
    say_messages,
    say_money,
    say_number,
    say_time,
    say_weekday,
)
from firmware.audio.spoken_forms_joining import GAP_SECONDS
from firmware.pcm import from_array, to_array
from firmware.ports import Clip

LANGUAGES = ("zh", "en")
# What nobody hears through a telephone: -50 dBFS.
QUIET = 104


@cache
def shelf() -> Shelf:
    return Shelf(default_folder(), LANGUAGES, pytest.fail)


def said(language: str) -> st.SearchStrategy[list[str]]:
    """Any spoken form."""
    numbers = st.integers(0, LARGEST_NUMBER)
    spans = st.timedeltas(timedelta(0), timedelta(9_999))
    days = st.dates(date(1000, 1, 1), date(2999, 12, 31))
    sums = st.decimals(0, 99_999, places=2)
    return st.one_of(
        st.builds(say_number, numbers, st.just(language)),
        st.builds(say_count, numbers, st.just(language)),
        st.builds(say_messages, numbers, st.just(language)),
        st.builds(say_digits, st.text("0123456789*#+", min_size=1, max_size=11)),
        st.builds(say_time, st.times(), st.just(language)),
        st.builds(lambda day: [*say_weekday(day), *say_date(day, language, with_year=True)], days),
        st.builds(lambda span: say_duration(span.total_seconds(), language), spans),
        st.builds(lambda total, currency: say_money(total, currency, language), sums, st.sampled_from(CURRENCIES)),
    )


FORMS = st.sampled_from(LANGUAGES).flatmap(lambda language: st.tuples(st.just(language), said(language)))


def speech_bounds(s16: bytes) -> tuple[int, int]:
    """Where the word begins and where it has ended, in samples."""
    loud = [at for at, sample in enumerate(to_array(s16)) if abs(sample) > QUIET]
    return loud[0], loud[-1] + 1


@cache
def word(prompt: str, language: str) -> tuple[Clip, int, int]:
    clip = shelf().clip(prompt, language)
    return clip, *speech_bounds(clip.s16)


@given(FORMS)
@settings(max_examples=60, deadline=None)
def test_words_of_a_phrase_stand_apart_evenly_and_without_a_click(form: tuple[str, list[str]]) -> None:
    language, pieces = form
    words = [word(prompt, language) for prompt in pieces]
    s16 = join([clip for clip, _, _ in words]).s16
    joined = to_array(s16)
    end = words[0][2]
    for clip, begin, after in words[1:]:
        length = after - begin
        start = place_of(s16, clip.s16[2 * begin : 2 * after], end)
        gap_seconds = (start - end) / 8000
        assert 0.03 <= gap_seconds <= 0.4
        assert gap_seconds == pytest.approx(GAP_SECONDS, abs=0.001)
        quiet = joined[end - 1 : start + 1]
        assert max(abs(b - a) for a, b in pairwise(quiet[1:-1])) <= 2 * QUIET
        end = start + length
    assert len(joined) - end == len(words[-1][0].s16) // 2 - words[-1][2]


def place_of(joined: bytes, speech: bytes, after: int) -> int:
    """Where a word stands, unchanged, in the phrase."""
    at = joined.find(speech, 2 * after)
    while at % 2:
        at = joined.find(speech, at + 1)
    assert at >= 0, "a word was changed by joining"
    return at // 2


@given(FORMS)
@settings(max_examples=60, deadline=None)
def test_pieces_in_a_row_without_joining_do_not_click_either(form: tuple[str, list[str]]) -> None:
    language, pieces = form
    words = [word(prompt, language) for prompt in pieces]
    for (before, _, end), (behind, begin, _) in pairwise(words):
        assert abs(to_array(before.s16)[-1] - to_array(behind.s16)[0]) <= 2
        assert 0.03 <= (len(before.s16) // 2 - end + begin) / 8000 <= 0.4


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_phrase_is_as_loud_as_its_words(language: str) -> None:
    phrase = join([word(prompt, language)[0] for prompt in say_time(time(14, 35), language)])
    assert -22 <= active_level_dbfs(phrase.s16) <= -18


def test_a_phrase_tells_its_words() -> None:
    for language, text in (("en", "You have two messages."), ("zh", "您有两条留言。")):
        phrase = join([word(prompt, language)[0] for prompt in say_messages(2, language)])
        assert (phrase.text, phrase.language) == (text, language)


def test_sums_are_spoken_with_every_word() -> None:
    phrase = join([word(prompt, "zh")[0] for prompt in say_money(Decimal("12.5"), "CNY", "zh")])
    assert phrase.text == "十二元五角"


def test_a_piece_by_itself_stays_as_it_is() -> None:
    clip = word("number_7", "en")[0]
    assert join([clip]).s16 == clip.s16


def test_a_recording_that_ends_loud_is_not_cut() -> None:
    loud = Clip("number_1", "one", from_array(array("h", [9000, -9000] * 400)), "en")
    joined = to_array(join([loud, loud]).s16)
    assert joined == array("h", [9000, -9000] * 800)


def test_silence_between_words_does_no_harm() -> None:
    silence = Clip("number_1", "one", bytes(16000), "en")
    seven = word("number_7", "en")[0]
    assert len(join([silence, seven, silence]).s16) < len(seven.s16) + 2 * 2 * 400


def test_nothing_cannot_be_joined() -> None:
    with pytest.raises(ValueError, match="nothing to join"):
        join([])
