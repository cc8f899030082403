from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from firmware.ups.debounce import Debounce

STEADY_SECONDS = 0.05


def test_a_level_counts_once_it_was_steady() -> None:
    debounce = Debounce(STEADY_SECONDS, level=False)
    assert not debounce.seen(True, 1.0)
    assert debounce.due_seconds == 1.05
    assert not debounce.settled(1.04)
    assert debounce.settled(1.05)
    assert debounce.level
    assert debounce.due_seconds is None
    assert not debounce.settled(2.0)


def test_every_edge_begins_the_wait_anew() -> None:
    debounce = Debounce(STEADY_SECONDS, level=False)
    for edge in range(10):
        at_seconds = 1 + edge * 0.01
        assert not debounce.seen(True, at_seconds)
        assert not debounce.seen(False, at_seconds + 0.003)
    assert not debounce.level
    assert debounce.due_seconds is None
    debounce.seen(True, 2.0)
    debounce.seen(False, 2.01)
    debounce.seen(True, 2.02)
    assert debounce.due_seconds == 2.02 + STEADY_SECONDS


def test_a_sample_finds_a_level_whose_edge_was_lost() -> None:
    debounce = Debounce(STEADY_SECONDS, level=False)
    assert not debounce.seen(True, 1.0)
    assert debounce.seen(True, 2.0)
    assert debounce.level


def test_an_edge_that_comes_late_does_not_hide_a_level_that_had_settled() -> None:
    debounce = Debounce(STEADY_SECONDS, level=False)
    debounce.seen(True, 1.0)
    assert debounce.seen(False, 1.2)
    assert debounce.level
    assert debounce.settled(1.25)
    assert not debounce.level


def test_no_debounce_takes_every_edge() -> None:
    debounce = Debounce(0.0, level=False)
    assert debounce.seen(True, 1.0)
    assert debounce.seen(False, 1.0)


EDGES = st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=60)


@given(EDGES, st.integers(0, 60))
def test_what_counts_was_steady_for_so_long_and_the_last_level_wins_in_the_end(
    edges: list[tuple[bool, int]], steady_ms: int
) -> None:
    debounce = Debounce(steady_ms / 1000, level=False)
    now_ms, latest, since_ms = 0, False, -10_000
    for level, gap_ms in edges:
        now_ms += gap_ms
        before = debounce.level
        if level != latest:
            steady_before = now_ms - since_ms
            latest, since_ms = level, now_ms
        else:
            steady_before = now_ms - since_ms
        changed = debounce.seen(level, now_ms / 1000)
        if debounce.level != before:
            assert changed
            assert steady_before + 1e-6 >= steady_ms
    debounce.settled((now_ms + steady_ms + 1) / 1000)
    assert debounce.level == latest
