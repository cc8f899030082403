"""Opening hours of an office, as a pure function of the time. Nothing here reads a clock.

What wins, from the top: a one-off closure, a make-up working day, a holiday, the week.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

DAY_MINUTES = 24 * 60
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Period:
    """Open from one minute of the day up to before another; 1440 is midnight at the end of the day."""

    opens_minute: int
    closes_minute: int

    def holds(self, minute: int) -> bool:
        """Whether the office is open in this minute."""
        return self.opens_minute <= minute < self.closes_minute


Day = tuple[Period, ...]
CLOSED: Day = ()


@dataclass(frozen=True, slots=True)
class DaySpan:
    """Days from `first` to `last`, both included: (year, month, day), or (month, day) for every year."""

    first: tuple[int, ...]
    last: tuple[int, ...]

    def holds(self, day: date) -> bool:
        """Whether a day lies in the span."""
        whole = (day.year, day.month, day.day)
        return self.first <= whole[-len(self.first) :] <= self.last


@dataclass(frozen=True, slots=True)
class Closure:
    """Closed from one moment of local time up to before another."""

    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """When an office is open. `weekly` begins with Monday; `working_days` are make-up days (调休) and their hours."""

    zone: ZoneInfo
    weekly: tuple[Day, ...]
    holidays: Sequence[DaySpan] = ()
    working_days: Mapping[date, Day] = field(default_factory=dict)
    closures: Sequence[Closure] = ()

    def is_open(self, at: datetime) -> bool:
        """Whether the office is open at an aware time.

        Raises: ValueError for a time without a zone.
        """
        if at.tzinfo is None:
            raise ValueError("opening hours need a time with its zone")
        local = at.astimezone(self.zone).replace(tzinfo=None)
        if any(closure.begins <= local < closure.ends for closure in self.closures):
            return False
        minute = local.hour * 60 + local.minute
        return any(period.holds(minute) for period in self._hours_of(local.date()))

    def _hours_of(self, day: date) -> Day:
        if day in self.working_days:
            return self.working_days[day]
        if any(span.holds(day) for span in self.holidays):
            return CLOSED
        return self.weekly[day.weekday()]
