"""Ranges of numbers, against plain sets."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from collector.records.seen import MOST_RANGES, missing, with_seqs

SEQS = st.lists(st.integers(1, 60), max_size=40)


def spread(ranges: list[int]) -> set[int]:
    return {seq for first, end in zip(ranges[::2], ranges[1::2], strict=True) for seq in range(first, end)}


@given(st.lists(SEQS, max_size=5), st.integers(1, 70))
def test_ranges_say_what_sets_say(batches: list[list[int]], below: int) -> None:
    seen: list[int] = []
    for batch in batches:
        seen, forgotten = with_seqs(seen, batch)
        assert forgotten == 0
    arrived = {seq for batch in batches for seq in batch}
    assert spread(seen) == arrived
    assert all(one < other for one, other in pairwise(seen))
    gaps = {seq for first, last in missing(seen, below) for seq in range(first, last + 1)}
    assert gaps == set(range(1, below)) - arrived


def test_what_arrives_in_order_is_one_range_for_ever() -> None:
    seen: list[int] = []
    for first in range(1, 100_001, 200):
        seen, _ = with_seqs(seen, range(first, first + 200))
    assert seen == [1, 100_001]


def test_too_many_gaps_are_counted_instead_of_kept() -> None:
    seen, forgotten = with_seqs([], range(1, 4 * MOST_RANGES, 2))
    assert len(seen) == 2 * MOST_RANGES
    assert forgotten == MOST_RANGES
    assert seen[-1] == 4 * MOST_RANGES
    assert missing(seen, seen[-1])[0] == (2 * MOST_RANGES + 2, 2 * MOST_RANGES + 2)
