from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.ivr.hours import CLOSED, Closure, DaySpan, OpeningHours, Period

SHANGHAI = ZoneInfo("Asia/Shanghai")
WORKDAY = (Period(9 * 60, 12 * 60), Period(13 * 60 + 30, 18 * 60))
WEEK = (WORKDAY,) * 5 + (CLOSED,) * 2
OFFICE = OpeningHours(
    SHANGHAI,
    WEEK,
    holidays=(DaySpan((1, 1), (1, 1)), DaySpan((2026, 2, 15), (2026, 2, 23))),
    working_days={date(2026, 2, 14): WORKDAY, date(2026, 2, 16): (Period(600, 660),)},
    closures=(Closure(datetime(2026, 3, 5, 14), datetime(2026, 3, 5, 16)),),  # noqa: DTZ001 - local time is meant
)


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SHANGHAI)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        (local(2026, 3, 4, 8, 59), False),
        (local(2026, 3, 4, 9, 0), True),
        (local(2026, 3, 4, 11, 59, 59), True),
        (local(2026, 3, 4, 12, 0), False),
        (local(2026, 3, 4, 13, 30), True),
        (local(2026, 3, 4, 18, 0), False),
        (local(2026, 3, 7, 10, 0), False),
    ],
)
def test_week_with_lunch(at: datetime, is_open: bool) -> None:
    assert OFFICE.is_open(at) is is_open


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        (local(2026, 1, 1, 10, 0), False),
        (local(2031, 1, 1, 10, 0), False),
        (local(2026, 2, 17, 10, 0), False),
        (local(2026, 2, 24, 10, 0), True),
        (local(2026, 2, 14, 10, 0), True),  # a Saturday, made up
        (local(2026, 2, 16, 10, 30), True),  # a made-up day inside the holidays wins
        (local(2026, 2, 16, 11, 0), False),
    ],
)
def test_holidays_and_make_up_working_days(at: datetime, is_open: bool) -> None:
    assert OFFICE.is_open(at) is is_open


def test_closure_wins_over_everything() -> None:
    assert OFFICE.is_open(local(2026, 3, 5, 13, 59))
    assert not OFFICE.is_open(local(2026, 3, 5, 14, 0))
    assert OFFICE.is_open(local(2026, 3, 5, 16, 0))


def test_time_is_taken_in_the_office_zone_wherever_it_comes_from() -> None:
    assert OFFICE.is_open(datetime(2026, 3, 4, 1, 0, tzinfo=UTC))
    assert not OFFICE.is_open(datetime(2026, 3, 4, 9, 0, tzinfo=UTC) + timedelta(hours=1))


def test_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        OFFICE.is_open(datetime(2026, 3, 4, 10, 0))  # noqa: DTZ001 - that is the point


def test_summer_time_moves_the_office_with_it() -> None:
    berlin = OpeningHours(ZoneInfo("Europe/Berlin"), ((Period(540, 600),),) * 7)
    assert berlin.is_open(datetime(2026, 1, 5, 8, 30, tzinfo=UTC))
    assert berlin.is_open(datetime(2026, 7, 6, 7, 30, tzinfo=UTC))
    assert not berlin.is_open(datetime(2026, 7, 6, 8, 30, tzinfo=UTC))


@given(st.datetimes(timezones=st.timezones()))
def test_any_moment_has_an_answer_and_a_closed_week_is_closed(at: datetime) -> None:
    try:
        at.astimezone(SHANGHAI)
    except OverflowError:  # the calendar itself ends there
        return
    assert OFFICE.is_open(at) in (True, False)
    assert not OpeningHours(SHANGHAI, (CLOSED,) * 7).is_open(at)
    assert OpeningHours(SHANGHAI, ((Period(0, 1440),),) * 7).is_open(at)
