"""What an engine heard becomes one of the phrases, or none of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.speech.phrases import UNKNOWN_WORD, chosen_phrase, words_of

PHRASES = ("yes", "no", "leave a message", "留言")


@pytest.mark.parametrize(
    ("heard", "text", "confidence"),
    [
        ([("yes", 0.9)], "yes", 0.9),
        ([("leave", 0.9), ("a", 0.6), ("message", 0.8)], "leave a message", 0.6),
        ([("留言", 1.0)], "留言", 1.0),
        ([("yes", 0.9), ("yes", 0.8)], "yes", 0.8),
        ([(UNKNOWN_WORD, 0.9), ("yes", 0.8)], "yes", 0.4),
        ([("yes", 0.9), ("no", 0.7)], "", 0.8),
        ([("leave", 0.9), ("message", 0.9)], "", 0.9),
        ([("message", 0.9), ("a", 0.9), ("leave", 0.9)], "", 0.9),
        ([(UNKNOWN_WORD, 0.5)], "", 0.5),
        ([], "", 0.0),
    ],
)
def test_only_a_whole_phrase_is_chosen(heard: list[tuple[str, float]], text: str, confidence: float) -> None:
    chosen = chosen_phrase(heard, PHRASES)
    assert chosen.text == text
    assert chosen.confidence == pytest.approx(confidence)


@given(st.lists(st.tuples(st.sampled_from([*words_of(PHRASES), UNKNOWN_WORD, "else"]), st.floats(-1, 2)), max_size=8))
def test_the_result_is_a_phrase_with_a_confidence_between_0_and_1(heard: list[tuple[str, float]]) -> None:
    chosen = chosen_phrase(heard, PHRASES)
    assert chosen.text in {*PHRASES, ""}
    assert 0 <= chosen.confidence <= 1


def test_words_are_listed_once() -> None:
    assert words_of(["leave a message", "a message"]) == ["leave", "a", "message"]
