from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.ports import PowerReading
from firmware.ups.nut_protocol import BadNutLine, NutLines, as_line, split_words
from firmware.ups.nut_status import reading_from

WORD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\0"))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('VAR office ups.status "OL CHRG"', ("VAR", "office", "ups.status", "OL CHRG")),
        (r'VAR office ups.model "a \"big\" one \\"', ("VAR", "office", "ups.model", r'a "big" one \\'[:-1])),
        ("ERR DATA-STALE", ("ERR", "DATA-STALE")),
        ('VAR office ups.mfr ""', ("VAR", "office", "ups.mfr", "")),
        ("  OK  ", ("OK",)),
        ("", ()),
    ],
)
def test_a_line_is_split_into_words(line: str, words: tuple[str, ...]) -> None:
    assert split_words(line) == words


def test_a_quote_without_an_end_is_refused() -> None:
    with pytest.raises(BadNutLine):
        split_words('VAR office ups.status "OL')


def test_a_word_with_a_line_break_cannot_smuggle_a_second_request() -> None:
    with pytest.raises(BadNutLine):
        as_line("USERNAME", "keeper\nINSTCMD office load.off")


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory() -> None:
    lines = NutLines()
    for _ in range(8):
        lines.feed(b"x" * 1000)
    with pytest.raises(BadNutLine):
        lines.feed(b"x" * 1000)


@given(st.lists(st.lists(WORD, min_size=1), max_size=5), st.data())
def test_what_is_written_is_read_back_wherever_the_stream_is_cut(told: list[list[str]], data: st.DataObject) -> None:
    stream = b"".join(as_line(*words) for words in told)
    lines, heard, at = NutLines(), [], 0
    while at < len(stream):
        end = data.draw(st.integers(at + 1, len(stream)))
        heard += lines.feed(stream[at:end])
        at = end
    assert heard == [tuple(words) for words in told]


@given(st.lists(st.binary(max_size=40) | st.sampled_from([b'"', b"\\", b"\n", b" ", b"VAR x y"]), max_size=20))
def test_no_bytes_do_worse_than_a_refusal(pieces: list[bytes]) -> None:
    lines = NutLines()
    with contextlib.suppress(BadNutLine):
        for piece in pieces:
            for words in lines.feed(piece):
                assert all(isinstance(word, str) for word in words)


@pytest.mark.parametrize(
    ("status", "mains", "low", "replace"),
    [
        ("OL", True, False, False),
        ("OL CHRG", True, False, False),
        ("OB DISCHRG", False, False, False),
        ("OB LB", False, True, False),
        ("OL RB", True, False, True),
        ("OB FSD", False, True, False),
        ("OFF", None, False, False),
        ("WAIT", None, False, False),
        ("", None, None, False),
    ],
)
def test_words_of_the_status(status: str, mains: bool | None, low: bool | None, replace: bool) -> None:
    assert reading_from({"ups.status": status}) == PowerReading(mains, low, None, None, replace)


@pytest.mark.parametrize(
    ("charge", "percent"), [("55.5", 55.5), ("0", 0.0), ("101", None), ("nan", None), ("-1", None), ("full", None)]
)
def test_a_charge_that_cannot_be_is_not_told(charge: str, percent: float | None) -> None:
    assert reading_from({"ups.status": "OL", "battery.charge": charge}).battery_percent == percent


def test_a_runtime_is_told_in_seconds() -> None:
    assert reading_from({"battery.runtime": "5400"}).runtime_seconds == 5400.0


@given(st.dictionaries(st.sampled_from(["ups.status", "battery.charge", "battery.runtime"]), st.text()))
def test_no_variables_do_harm(variables: dict[str, str]) -> None:
    reading = reading_from(variables)
    assert reading.battery_percent is None or 0 <= reading.battery_percent <= 100
