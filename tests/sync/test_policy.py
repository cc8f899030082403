"""Back-off, spread, rate, parts and Retry-After: pure, so that every case is a line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.sync.backoff import Backoff
from firmware.sync.part_size import PartSize
from firmware.sync.progress import Drain
from firmware.sync.rate import ByteRate
from firmware.sync.retry_after import retry_after_seconds
from firmware.sync.spread import spread_wait_seconds

_CHANCE = st.floats(0, 1)
_NOW = datetime(2026, 5, 1, tzinfo=UTC)


def test_waits_double_up_to_a_quarter_of_an_hour_and_begin_anew_after_a_success() -> None:
    backoff = Backoff(lambda: 1.0)
    waits = [backoff.failed() for _ in range(12)]
    assert waits[:4] == [2, 4, 8, 16]
    assert waits[-1] == 900
    backoff.succeeded()
    assert backoff.failed() == 2


@given(st.integers(0, 5000), _CHANCE)
def test_no_wait_is_ever_none_or_longer_than_allowed(failures: int, chance: float) -> None:
    backoff = Backoff(lambda: chance)
    backoff.failures = failures
    assert 1 <= backoff.failed() <= 900


@given(st.floats(0, 3600), _CHANCE)
def test_retry_after_is_never_undercut_and_never_met_by_all_at_once(asked: float, chance: float) -> None:
    wait = Backoff(lambda: chance).failed(asked)
    assert asked <= wait <= asked * 1.25 + 2


@pytest.mark.parametrize(("asked", "least", "most"), [(1e12, 3600, 4500), (-5, 0, 2)])
def test_retry_after_beyond_sense_is_bounded(asked: float, least: float, most: float) -> None:
    assert least <= Backoff(lambda: 0.5).failed(asked) <= most


def test_short_outage_needs_no_spread_and_a_long_one_up_to_the_setting() -> None:
    assert spread_wait_seconds(100, 600, 1.0) == 0
    assert spread_wait_seconds(400, 600, 1.0) == 100
    assert spread_wait_seconds(86_400, 600, 1.0) == 600
    assert spread_wait_seconds(86_400, 600, 0.5) == 300
    assert spread_wait_seconds(86_400, 0, 1.0) == 0


@given(st.lists(st.integers(1, 50_000), min_size=1, max_size=50), st.floats(100, 1e6), st.floats(0, 5))
def test_cap_holds_over_every_span(sizes: list[int], cap: float, pause: float) -> None:
    rate, now, sent = ByteRate(cap), 100.0, []
    for size in sizes:
        now += rate.wait_seconds(size, now)
        sent.append((now, size))
        now += pause * 0.1
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            span = sent[last][0] - sent[first][0]
            # What leaves last needs the time after it; a burst of a quarter of a second is allowed.
            assert sum(size for _, size in sent[first:last]) <= cap * (span + 0.25) * 1.0001 + 1


def test_no_cap_waits_for_nothing() -> None:
    assert ByteRate(None).wait_seconds(10**9, 0.0) == 0


def test_parts_fit_the_connection() -> None:
    size = PartSize(256 * 1024)
    for _ in range(10):
        size.sent(size.byte_count, size.byte_count / 8000)  # 64 kbit/s
    assert 16 * 1024 <= size.byte_count <= 64 * 1024
    for _ in range(10):
        size.sent(size.byte_count, 0.01)
    assert size.byte_count == 256 * 1024
    for _ in range(10):
        size.failed()
    assert size.byte_count == 16 * 1024


def test_retry_after_is_seconds_or_a_date() -> None:
    assert retry_after_seconds(" 120 ", _NOW) == 120
    assert retry_after_seconds(format_datetime(_NOW + timedelta(seconds=90), usegmt=True), _NOW) == 90
    assert retry_after_seconds(format_datetime(_NOW - timedelta(days=1), usegmt=True), _NOW) == 0
    for nonsense in (None, "", "soon", "-1", "1e9", "9" * 400, "Mon, 99 Foo 2026"):
        assert retry_after_seconds(nonsense, _NOW) is None


@given(st.text(max_size=60))
def test_retry_after_of_any_text_is_a_time_or_nothing(text: str) -> None:
    seconds = retry_after_seconds(text, _NOW)
    assert seconds is None or seconds >= 0


def test_progress_is_told_for_long_drains_only() -> None:
    drain = Drain(began_seconds=0.0)
    assert drain.to_json(20, 0, 10.0) is None
    drain.records_done = 1000
    assert drain.to_json(0, 0, 10.0) is None
    told = drain.to_json(2000, 3, 10.0)
    assert told is not None
    assert (told["records_left"], told["seconds_left"], told["audio_left"]) == (2000, 20.0, 3)
