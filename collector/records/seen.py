"""Which numbers arrived, as ranges. Pure.

What arrived in order is one range, however long: an appliance costs the same in its first hour and after ten years.
Ranges are a flat list, as the database keeps them: first, after-last, first, after-last, ... in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MOST_RANGES = 500
"""Each gap is work for a person; nobody looks at more of them."""


def with_seqs(seen: Sequence[int], seqs: Iterable[int]) -> tuple[list[int], int]:
    """`seen` with these too, and how many missing ones are not told apart any more, as there were too many gaps."""
    pairs = [*zip(seen[::2], seen[1::2], strict=True), *((seq, seq + 1) for seq in seqs)]
    merged: list[int] = []
    for first, end in sorted(pairs):
        if merged and first <= merged[-1]:
            merged[-1] = max(merged[-1], end)
        else:
            merged += (first, end)
    extra = max(len(merged) // 2 - MOST_RANGES, 0)
    # The lowest gaps are the oldest ones.
    forgotten = sum(merged[2 * gap + 2] - merged[2 * gap + 1] for gap in range(extra))
    return (merged[:1] + merged[2 * extra + 1 :] if extra else merged), forgotten


def missing(seen: Sequence[int], below: int) -> list[tuple[int, int]]:
    """The ranges of numbers from 1 on that did not arrive, first and last, below a number."""
    gaps = []
    expected = 1
    for first, end in zip(seen[::2], seen[1::2], strict=True):
        if first >= below:
            break
        if first > expected:
            gaps.append((expected, first - 1))
        expected = max(expected, end)
    if expected < below:
        gaps.append((expected, below - 1))
    return gaps
