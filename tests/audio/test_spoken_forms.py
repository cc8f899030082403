"""Numbers, counts and digits, read back by judges that do not share our code."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from firmware.audio.catalogue import default_folder, load_catalogue
from firmware.audio.spoken_forms import LARGEST_NUMBER, say_count, say_digits, say_messages, say_number
from firmware.errors import PromptError

PROMPTS = load_catalogue(default_folder()).prompts
NUMBERS = st.one_of(
    st.integers(0, 130),
    st.integers(0, LARGEST_NUMBER),
    # Numbers with many noughts, where languages differ most.
    st.builds(
        lambda digits: int("".join(digits)), st.lists(st.sampled_from("00012"), min_size=1, max_size=6).map(tuple)
    ),
)
ENGLISH = {
    "zero": 0,
    "one": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
    "thirteen": 13,
    "fourteen": 14,
    "fifteen": 15,
    "sixteen": 16,
    "seventeen": 17,
    "eighteen": 18,
    "nineteen": 19,
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "seventy": 70,
    "eighty": 80,
    "ninety": 90,
}
MANDARIN = {letter: at for at, letter in enumerate("零一二三四五六七八九")} | {"两": 2}
SIZES = {"十": 10, "百": 100, "千": 1000}


def spoken(pieces: Sequence[str], language: str) -> str:
    return ("" if language == "zh" else " ").join(PROMPTS[piece].texts[language] for piece in pieces)


def read_english(text: str) -> int:
    total = group = 0
    for word in text.replace("-", " ").split():
        if word == "hundred":
            group *= 100
        elif word in {"thousand", "million"}:
            total += group * (1000 if word == "thousand" else 1_000_000)
            group = 0
        elif word != "and":
            group += ENGLISH[word]
    return total + group


def read_mandarin(text: str) -> int:
    high, _, low = text.rpartition("万")
    return 10_000 * read_mandarin(high) + read_mandarin(low or "零") if high else read_below_ten_thousand(low)


def read_below_ten_thousand(text: str) -> int:
    total, digit = 0, None
    for letter in text:
        if letter in SIZES:
            total += (1 if digit is None else digit) * SIZES[letter]
            digit = None
        else:
            digit = MANDARIN[letter]
    return total + (digit or 0)


@given(NUMBERS)
@example(LARGEST_NUMBER)
def test_an_english_number_reads_back_as_itself(value: int) -> None:
    assert read_english(spoken(say_number(value, "en"), "en")) == value


@given(NUMBERS)
@example(LARGEST_NUMBER)
def test_a_mandarin_number_reads_back_as_itself(value: int) -> None:
    assert read_mandarin(spoken(say_number(value, "zh"), "zh")) == value


@given(NUMBERS)
def test_num2words_says_the_same_in_english(value: int) -> None:
    judge = pytest.importorskip("num2words", reason="num2words is not installed (pip install -e '.[dev]')")
    said = judge.num2words(value, lang="en").replace(",", "").replace("-", " ")
    assert spoken(say_number(value, "en"), "en") == said


@given(NUMBERS)
def test_mandarin_has_one_nought_in_each_gap_and_none_at_the_end(value: int) -> None:
    said = spoken(say_number(value, "zh"), "zh")
    # Written with arithmetic: every group of four digits is read by itself, and noughts between digits become one 零.
    assert "零零" not in said
    assert not re.search("零[万千百十]", said)
    if value:
        assert not said.endswith("零")
        gaps = re.findall(r"(?<=[1-9])0+(?=[1-9])", str(value % 10_000))
        assert spoken(say_number(value % 10_000, "zh"), "zh").count("零") == (len(gaps) if value % 10_000 else 1)


@pytest.mark.parametrize(
    ("value", "english", "mandarin"),
    [
        (0, "zero", "零"),
        (2, "two", "二"),
        (10, "ten", "十"),
        (17, "seventeen", "十七"),
        (20, "twenty", "二十"),
        (21, "twenty one", "二十一"),
        (105, "one hundred and five", "一百零五"),
        (112, "one hundred and twelve", "一百一十二"),
        (200, "two hundred", "二百"),
        (2_200, "two thousand two hundred", "两千二百"),
        (10_010, "ten thousand and ten", "一万零一十"),
        (22_000, "twenty two thousand", "两万二千"),
        (100_000, "one hundred thousand", "十万"),
        (1_005_000, "one million five thousand", "一百万五千"),
        (2_000_000, "two million", "二百万"),
    ],
)
def test_numbers_sound_as_people_say_them(value: int, english: str, mandarin: str) -> None:
    assert spoken(say_number(value, "en"), "en") == english
    assert spoken(say_number(value, "zh"), "zh") == mandarin


@pytest.mark.parametrize(("value", "mandarin"), [(2, "两"), (12, "十二"), (22, "二十二"), (1, "一")])
def test_two_of_something_is_liang(value: int, mandarin: str) -> None:
    assert spoken(say_count(value, "zh"), "zh") == mandarin
    assert say_count(value, "en") == say_number(value, "en")


@pytest.mark.parametrize("value", [-1, LARGEST_NUMBER + 1])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_number_that_cannot_be_said_is_refused(value: int, language: str) -> None:
    with pytest.raises(PromptError, match="not a number that our prompts can say"):
        say_number(value, language)


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(PromptError, match='the language "fr"; there are en and zh'):
        say_count(2, "fr")


@given(st.text("0123456789*#+", max_size=20))
def test_digits_are_said_one_by_one(digits: str) -> None:
    names = {"star": "*", "hash": "#", "plus": "+"}
    said = [piece.removeprefix("digit_") for piece in say_digits(digits)]
    assert "".join(names.get(name, name) for name in said) == digits
    assert all(piece in PROMPTS for piece in say_digits(digits))


def test_spaces_and_dashes_in_a_number_are_passed_over() -> None:
    assert say_digits("+86 10-5") == ["digit_plus", "digit_8", "digit_6", "digit_1", "digit_0", "digit_5"]


@pytest.mark.parametrize(
    ("waiting", "english", "mandarin"),
    [
        (0, "You have no messages.", "目前没有留言。"),
        (1, "You have one message.", "您有一条留言。"),
        (2, "You have two messages.", "您有两条留言。"),
        (105, "You have one hundred and five messages.", "您有一百零五条留言。"),
    ],
)
def test_waiting_messages_are_a_sentence(waiting: int, english: str, mandarin: str) -> None:
    assert spoken(say_messages(waiting, "en"), "en") == english
    assert spoken(say_messages(waiting, "zh"), "zh") == mandarin
