from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from firmware.services.paper import WIDTH, blank, bullet, columns, entry, printable, wrapped

mixed = st.text(st.one_of(st.characters(), st.sampled_from("停电 abc 线路 。,")), max_size=300)


@given(mixed, st.integers(2, 80))
def test_no_line_is_too_wide_and_nothing_is_lost(text: str, width: int) -> None:
    text = printable(text)
    lines = wrapped(text, width)
    assert lines
    assert all(columns(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@given(mixed)
def test_nothing_in_print_is_obeyed_by_a_terminal_or_begins_a_line(text: str) -> None:
    clean = printable(text)
    assert len(clean) == len(text)
    assert not any(ord(letter) < 0x20 or 0x7F <= ord(letter) < 0xA0 for letter in clean)
    assert not set(clean) & set("\u202e\u2066\u200b\u2028\u2029\ufeff")
    assert clean.splitlines() in ([], [clean])


def test_a_chinese_letter_takes_two_columns_and_a_combining_one_none() -> None:
    assert [columns(text) for text in ("停电", "power", "e\u0301", "")] == [4, 5, 1, 0]


def test_words_stay_whole_and_chinese_breaks_anywhere() -> None:
    assert wrapped("the modem on line front is gone", 12) == ["the modem on", "line front", "is gone"]
    assert wrapped("线路已经停电了", 6) == ["线路已", "经停电", "了"]
    assert wrapped("a" * 10, 4) == ["aaaa", "aaaa", "aa"]
    assert wrapped("", 10) == [""]


@given(mixed, mixed, st.integers(0, 200))
def test_an_entry_is_one_bullet_however_hostile_its_text(label: str, text: str, label_columns: int) -> None:
    first, *more = entry(printable(label), text, label_columns).split("\n")
    assert first.startswith("- ")
    assert all(line.startswith("  ") for line in more)


@given(mixed)
def test_a_bullet_fits_the_page(text: str) -> None:
    first, *more = bullet(text).split("\n")
    assert first.startswith("- ")
    assert all(line.startswith("  ") for line in more)
    assert all(columns(line) <= WIDTH for line in (first, *more))


def test_labels_of_any_language_line_up() -> None:
    assert entry("类别", "停电", 8) == "- 类别:     停电"
    assert entry("Duration", "3 s", 8) == "- Duration: 3 s"
    assert columns(blank("签名")) == WIDTH
