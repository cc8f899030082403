from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from firmware.pcm import from_array, to_array
from firmware.simulation.timeline import Timeline

LENGTH = 120
SAMPLES = st.lists(st.integers(-32768, 32767), min_size=1, max_size=30)
WRITINGS = st.lists(st.tuples(st.integers(0, LENGTH), SAMPLES), max_size=8)


def s16(*samples: int) -> bytes:
    return from_array(array("h", samples))


def clip(sample: int) -> int:
    return max(-32768, min(32767, sample))


@given(writings=WRITINGS, first=st.integers(0, LENGTH), length=st.integers(0, LENGTH))
def test_reading_gives_the_clipped_sum_of_what_was_written(
    writings: list[tuple[int, list[int]]], first: int, length: int
) -> None:
    timeline = Timeline()
    expected = [0] * (2 * LENGTH + 100)
    for start, samples in writings:
        assert timeline.put(start, s16(*samples)) == start + len(samples)
        for at, sample in enumerate(samples, start):
            expected[at] = clip(expected[at] + sample)
    read = timeline.read(first, first + length)
    assert list(to_array(read)) == expected[first : first + length]


@given(writings=WRITINGS, at=st.integers(0, LENGTH))
def test_nothing_sounds_after_a_cut_and_nothing_before_it_changes(
    writings: list[tuple[int, list[int]]], at: int
) -> None:
    timeline = Timeline()
    for start, samples in writings:
        timeline.put(start, s16(*samples))
    before = timeline.read(0, at)
    timeline.cut(at)
    assert timeline.read(0, at) == before
    assert not any(timeline.read(at, 2 * LENGTH))
    assert not timeline.sounds(at, 2 * LENGTH)


@given(writings=WRITINGS, before=st.integers(0, LENGTH))
def test_forgetting_leaves_the_rest(writings: list[tuple[int, list[int]]], before: int) -> None:
    timeline = Timeline()
    for start, samples in writings:
        timeline.put(start, s16(*samples))
    rest = timeline.read(before, 2 * LENGTH)
    timeline.forget(before)
    assert timeline.read(before, 2 * LENGTH) == rest


@given(
    pattern=SAMPLES,
    start=st.integers(0, 50),
    first=st.integers(0, 200),
    length=st.integers(0, 200),
    end=st.integers(0, 400),
)
def test_a_pattern_repeats_until_it_is_cut(pattern: list[int], start: int, first: int, length: int, end: int) -> None:
    timeline = Timeline()
    timeline.repeat(start, s16(*pattern))
    timeline.cut(end)
    expected = [pattern[(at - start) % len(pattern)] if start <= at < end else 0 for at in range(first, first + length)]
    assert list(to_array(timeline.read(first, first + length))) == expected


@given(pieces=st.lists(SAMPLES, max_size=20))
def test_pieces_written_one_behind_the_other_join(pieces: list[list[int]]) -> None:
    timeline = Timeline()
    end = 7
    for piece in pieces:
        end = timeline.put(end, s16(*piece))
    assert timeline.read(7, end) == s16(*(sample for piece in pieces for sample in piece))


def test_a_long_stretch_gives_its_head_back() -> None:
    timeline = Timeline()
    end = 0
    for _ in range(100):
        end = timeline.put(end, s16(*[5] * 8000))
        timeline.forget(end - 8000)
    (stretch,) = timeline._stretches
    assert stretch.end - stretch.start <= 100_000
    assert timeline.read(end - 3, end + 1) == s16(5, 5, 5, 0)


def test_silence_costs_no_reading() -> None:
    timeline = Timeline()
    timeline.put(100, s16(1, 2, 3))
    assert not timeline.sounds(0, 100)
    assert timeline.sounds(99, 101)
    assert not timeline.sounds(103, 200)
    assert timeline.read(10, 5) == b""
