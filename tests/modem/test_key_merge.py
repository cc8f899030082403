"""Presses told by the modem and found in the sound, merged: never doubled, never lost."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.modem.key_merge import LONGEST_PRESS_SECONDS, MATCHED_WITHIN_SECONDS, KeyMerge

TOLD, HEARD = "told", "heard"
# How late a source may be, so that two of one press are still within the window.
_LATEST = MATCHED_WITHIN_SECONDS * 0.9


def merged(reports: list[tuple[float, str, str]]) -> str:
    """The keys that count, of (time, source, key) in order of time."""
    merge = KeyMerge()
    taken = ""
    for at, source, key in reports:
        if merge.told(key, at) if source == TOLD else merge.heard(key, at):
            taken += key
    return taken


@pytest.mark.parametrize(
    ("reports", "keys"),
    [
        ([(0.0, TOLD, "1"), (0.05, HEARD, "1")], "1"),
        ([(0.0, HEARD, "1"), (0.05, TOLD, "1")], "1"),
        ([(0.0, TOLD, "1")], "1"),
        ([(0.0, HEARD, "1")], "1"),
        ([(0.0, TOLD, "1"), (0.05, HEARD, "1"), (0.15, TOLD, "1"), (0.2, HEARD, "1")], "11"),
        ([(0.0, HEARD, "1"), (0.15, HEARD, "1"), (0.2, TOLD, "1"), (0.35, TOLD, "1")], "11"),
        ([(0.0, TOLD, "1"), (0.15, TOLD, "1"), (0.2, HEARD, "1"), (0.35, HEARD, "1")], "11"),
        ([(0.0, TOLD, "1"), (0.05, HEARD, "1"), (0.2, HEARD, "1")], "11"),
        ([(0.0, HEARD, "1"), (0.05, TOLD, "1"), (0.2, TOLD, "1")], "11"),
        ([(0.0, TOLD, "1"), (0.05, HEARD, "2")], "12"),
        ([(0.0, TOLD, "1"), (1.0, HEARD, "1")], "11"),
    ],
)
def test_one_press_is_one_key(reports: list[tuple[float, str, str]], keys: str) -> None:
    assert merged(reports) == keys


@dataclass(frozen=True)
class Press:
    """When a key was pressed, and how late each source is; None: that source misses it."""

    key: str
    at: float
    told_late: float | None
    heard_late: float | None


Reported = tuple[float | None, float | None]


def presses(*, may_be_missed: bool, apart: float) -> st.SearchStrategy[list[Press]]:
    late = st.floats(0, _LATEST)
    reported: st.SearchStrategy[Reported] = st.tuples(late, late)
    if may_be_missed:
        reported = st.one_of(reported, st.tuples(late, st.none()), st.tuples(st.none(), late))
    one = st.tuples(st.sampled_from("12#"), st.floats(apart, apart + 1.0), reported)
    return st.lists(one, max_size=12).map(_in_time)


def _in_time(drawn: list[tuple[str, float, Reported]]) -> list[Press]:
    at = 0.0
    made = []
    for key, pause, (told, heard) in drawn:
        at += pause
        made.append(Press(key, at, told, heard))
    return made


def reports(pressed: list[Press]) -> list[tuple[float, str, str]]:
    """Each source tells in the order pressed, so a late report holds up the next one."""
    told: list[tuple[float, str, str]] = []
    heard: list[tuple[float, str, str]] = []
    for press in pressed:
        for late, source, so_far in ((press.told_late, TOLD, told), (press.heard_late, HEARD, heard)):
            if late is not None:
                at = press.at + late
                so_far.append((max(at, so_far[-1][0]) if so_far else at, source, press.key))
    return sorted([*told, *heard], key=lambda report: report[0])


@given(presses(may_be_missed=False, apart=0.08))
def test_what_both_sources_notice_counts_once_however_fast_it_comes(pressed: list[Press]) -> None:
    assert Counter(merged(reports(pressed))) == Counter(press.key for press in pressed)


@given(presses(may_be_missed=True, apart=2 * MATCHED_WITHIN_SECONDS))
def test_what_one_source_misses_is_not_lost_and_the_order_stays(pressed: list[Press]) -> None:
    assert merged(reports(pressed)) == "".join(press.key for press in pressed)


@given(st.lists(st.tuples(st.sampled_from("123*#"), st.floats(0.05, 1)), max_size=20), st.sampled_from([TOLD, HEARD]))
def test_one_source_alone_is_believed(drawn: list[tuple[str, float]], source: str) -> None:
    at = 0.0
    alone = []
    for key, pause in drawn:
        at += pause
        alone.append((at, source, key))
    assert merged(alone) == "".join(key for key, _ in drawn)


@given(st.lists(st.tuples(st.floats(0, 0.3), st.sampled_from([TOLD, HEARD]), st.sampled_from("12")), max_size=40))
def test_never_fewer_keys_than_the_busier_source_told_of(drawn: list[tuple[float, str, str]]) -> None:
    at = 0.0
    mixed = []
    for pause, source, key in drawn:
        at += pause
        mixed.append((at, source, key))
    counted = Counter(merged(mixed))
    for source in (TOLD, HEARD):
        assert counted >= Counter(key for _, name, key in mixed if name == source)


def test_a_finger_that_is_still_down_when_the_ear_begins_is_no_second_press() -> None:
    merge = KeyMerge()
    assert merge.told("5", 0.0, ear_listens=False)
    assert not merge.heard("5", 0.8, from_start=True)
    assert merge.heard("5", 1.2)


def test_a_key_of_before_counts_when_nobody_told_of_it() -> None:
    merge = KeyMerge()
    assert merge.heard("5", 0.8, from_start=True)
    assert not merge.told("5", 0.9)


@pytest.mark.parametrize("forget", ["released", "long ago", "another key"])
def test_a_second_press_counts_from_the_start_when_the_first_one_is_over(forget: str) -> None:
    merge = KeyMerge()
    merge.told("5", 0.0, ear_listens=False)
    at = 1.0
    if forget == "released":
        merge.released()
    elif forget == "long ago":
        at = LONGEST_PRESS_SECONDS + 0.1
    else:
        merge.told("6", 0.5, ear_listens=False)
    assert merge.heard("5", at, from_start=True)
