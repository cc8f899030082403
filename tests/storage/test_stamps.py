from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.storage.stamps import IdMaker, Stamp, id_time, local_text, utc_text

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


class SetClock:
    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def monotonic(self) -> float:
        return 0.0

    def now(self) -> datetime:
        return self.moment

    def trusted(self) -> bool:
        return False


def test_ids_sort_in_the_order_made_even_within_a_millisecond() -> None:
    clock = SetClock(START)
    make_id = IdMaker(clock)
    ids = []
    for index in range(10_000):
        ids.append(make_id())
        if index % 2500 == 0:
            clock.moment += timedelta(milliseconds=1)
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2400, 1, 1)))  # noqa: DTZ001
def test_an_id_tells_when_it_was_made(naive: datetime) -> None:
    moment = naive.replace(tzinfo=UTC)
    made = IdMaker(SetClock(moment))()
    assert timedelta(0) <= moment - id_time(made) < timedelta(milliseconds=1)
    assert uuid.UUID(made).version == 7
    assert uuid.UUID(made).variant == uuid.RFC_4122


def test_ids_follow_a_clock_that_was_set_back() -> None:
    clock = SetClock(START)
    make_id = IdMaker(clock)
    make_id()
    clock.moment = START - timedelta(days=400)
    assert id_time(make_id()) == clock.moment


def test_ids_stay_apart_when_the_clock_slews_back() -> None:
    clock = SetClock(START)
    make_id = IdMaker(clock, random_bytes=bytes)
    before = make_id()
    clock.moment -= timedelta(milliseconds=500)
    assert make_id() > before


@pytest.mark.parametrize("text", ["", "nonsense", "1234", "../x"])
def test_text_that_is_no_id_has_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="UUID"):
        id_time(text)


def test_times_are_utc_text_and_told_in_the_local_zone() -> None:
    text = utc_text(datetime(2026, 3, 1, 16, 0, tzinfo=ZoneInfo("Asia/Shanghai")))
    assert text == "2026-03-01T08:00:00.000+00:00"
    assert local_text(text, ZoneInfo("Asia/Shanghai")) == "2026-03-01T16:00:00.000+08:00"
    assert local_text(None, ZoneInfo("Asia/Shanghai")) is None


def test_a_stamp_says_that_the_clock_was_not_trusted() -> None:
    assert Stamp.now(SetClock(START)) == Stamp("2026-03-01T08:00:00.000+00:00", trusted=False)
