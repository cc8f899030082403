"""Opening hours out of a flow file.

weekly: {mon-fri: ["09:00-12:00", "13:30-18:00"], sat: []}
holidays: [01-01, 2026-02-15 to 2026-02-23]
working_days: [2026-02-14, {date: 2026-02-28, as: fri}]
closures: [{from: 2026-03-05 14:00, to: 2026-03-05 16:00}]
"""

from __future__ import annotations

import re
from datetime import date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from firmware.ivr.hours import CLOSED, DAY_MINUTES, WEEKDAYS, Closure, Day, DaySpan, OpeningHours, Period
from firmware.ivr.sections import Notes, Section, quoted
from firmware.yaml_source import Path, did_you_mean

_PERIOD = re.compile(r"([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})", re.ASCII)
_SPAN_WORD = " to "
_LEAP_YEAR = 2024  # 02-29 is a day of the year too


class _Mistake(ValueError):
    """A value that cannot be read; the message is for the file's author."""


def read_hours(notes: Notes, path: Path, value: object, time_zone: str) -> OpeningHours:
    """Read the `hours` section; mistakes go to `notes` and leave their part out."""
    section = Section(notes, path, value, "hours")
    zone = _zone(section, time_zone)
    weekly = _weekly(section)
    hours = OpeningHours(
        zone=zone,
        weekly=weekly,
        holidays=tuple(_holidays(section)),
        working_days=dict(_working_days(section, weekly)),
        closures=tuple(_closures(section)),
    )
    section.finish()
    return hours


def _zone(section: Section, time_zone: str) -> ZoneInfo:
    name = section.text("time_zone", default=time_zone)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        if name:
            section.notes.add((*section.path, "time_zone"), f"no time zone is called {quoted(name)}")
        return ZoneInfo("UTC")


def _weekly(section: Section) -> tuple[Day, ...]:
    week: dict[int, Day] = {}
    for place, name, value in section.pairs("weekly", 'days such as "mon-fri" to lists of periods'):
        periods = _periods(section.notes, place, value)
        for weekday in _weekdays(section.notes, place, name):
            if weekday in week:
                section.notes.add(place, f"{WEEKDAYS[weekday]} stands twice")
            week[weekday] = periods
    return tuple(week.get(weekday, CLOSED) for weekday in range(len(WEEKDAYS)))


def _weekdays(notes: Notes, place: Path, name: object) -> list[int]:
    ends = str(name).split("-")
    unknown = [end for end in ends if end not in WEEKDAYS]
    if unknown or len(ends) > 2:
        word = unknown[0] if unknown else str(name)
        notes.add(place, f"{quoted(word)} is no day of the week{did_you_mean(word, WEEKDAYS)}")
        return []
    first, last = WEEKDAYS.index(ends[0]), WEEKDAYS.index(ends[-1])
    return [(first + step) % 7 for step in range((last - first) % 7 + 1)]


def _periods(notes: Notes, place: Path, value: object) -> Day:
    if not isinstance(value, list):
        notes.add(place, 'the hours of a day are a list such as ["09:00-12:00", "13:30-18:00"]; [] is closed')
        return CLOSED
    periods = []
    for index, item in enumerate(value):
        try:
            periods.append(_period(item))
        except _Mistake as mistake:
            notes.add((*place, index), str(mistake))
    periods.sort(key=lambda period: period.opens_minute)
    if any(later.opens_minute < earlier.closes_minute for earlier, later in pairwise(periods)):
        notes.add(place, "two periods of a day overlap")
    return tuple(periods)


def _period(value: object) -> Period:
    match = _PERIOD.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise _Mistake(f"{quoted(value)} is no period such as 09:00-12:00")
    opens_hour, opens_minute, closes_hour, closes_minute = map(int, match.groups())
    opens, closes = opens_hour * 60 + opens_minute, closes_hour * 60 + closes_minute
    if opens_minute > 59 or closes_minute > 59 or closes > DAY_MINUTES:
        raise _Mistake(f"{quoted(value)} holds a time that no day has")
    if opens >= closes:
        raise _Mistake(
            f"{quoted(value)} ends before it begins; past midnight, write 24:00 and begin the next day at 00:00"
        )
    return Period(opens, closes)


def _holidays(section: Section) -> list[DaySpan]:
    spans = []
    for place, value in section.items("holidays", "holidays"):
        try:
            spans.append(_day_span(value))
        except _Mistake as mistake:
            section.notes.add(place, str(mistake))
    return spans


def _day_span(value: object) -> DaySpan:
    ends = [_day(end.strip()) for end in str(value).split(_SPAN_WORD, 1)]
    first, last = ends[0], ends[-1]
    if len(first) != len(last):
        raise _Mistake(f"{quoted(value)} has a year on one side only")
    if first > last:
        raise _Mistake(f"{quoted(value)} ends before it begins")
    return DaySpan(first, last)


def _day(text: str) -> tuple[int, ...]:
    yearly = re.fullmatch(r"[0-9]{2}-[0-9]{2}", text)
    try:
        day = date.fromisoformat(f"{_LEAP_YEAR}-{text}" if yearly else text)
    except ValueError:
        raise _Mistake(f"{quoted(text)} is no day such as 2026-02-15, or 01-01 for every year") from None
    return (day.month, day.day) if yearly else (day.year, day.month, day.day)


def _working_days(section: Section, weekly: tuple[Day, ...]) -> list[tuple[date, Day]]:
    days: dict[date, Day] = {}
    for place, value in section.items("working_days", "working_days"):
        entry = Section(section.notes, place, value if isinstance(value, dict) else {"date": value}, "a working day")
        weekday = entry.one_of("as", WEEKDAYS, "day of the week") if "as" in entry else WEEKDAYS[0]
        try:
            day = _one_day(entry.ask("date"))
        except _Mistake as mistake:
            section.notes.add(place, str(mistake))
            continue
        finally:
            entry.ask("as")
            entry.finish()
        if day in days:
            section.notes.add(place, f"{day} stands twice")
        days[day] = weekly[WEEKDAYS.index(weekday)] if weekday else CLOSED
    return list(days.items())


def _one_day(value: object) -> date:
    parts = _day(str(value))
    if len(parts) != 3:
        raise _Mistake(f"{quoted(value)} needs its year")
    return date(*parts)


def _closures(section: Section) -> list[Closure]:
    closures = []
    for place, value in section.items("closures", "closures"):
        entry = Section(section.notes, place, value, "a closure")
        try:
            begins, ends = _moment(entry.ask("from")), _moment(entry.ask("to"))
        except _Mistake as mistake:
            section.notes.add(place, str(mistake))
            continue
        finally:
            entry.finish()
        if begins >= ends:
            section.notes.add(place, "the closure ends before it begins")
        closures.append(Closure(begins, ends))
    return closures


def _moment(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is not None:
        raise _Mistake(f"a closure needs from and to, such as 2026-03-05 14:00 in local time, not {quoted(value)}")
    return moment
