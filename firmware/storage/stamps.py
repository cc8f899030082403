"""Times and ids of records: UTC text that sorts, ids that sort by time."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from firmware.ports import Clock

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
# A clock that fell back by less than this was slewed or read twice; by more, it was set, and its new word counts.
_SLEW_MS = 1000
_COUNTER_LIMIT = 0x1000


def utc_text(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and offset: of equal length, so that text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def local_text(text: str | None, zone: ZoneInfo) -> str | None:
    """A stored time as people at this place read it, offset included."""
    return None if text is None else datetime.fromisoformat(text).astimezone(zone).isoformat(timespec="milliseconds")


@dataclass(frozen=True, slots=True)
class Stamp:
    """A moment for a record, and whether the clock could be trusted then."""

    at: str
    trusted: bool

    @classmethod
    def now(cls, clock: Clock) -> Stamp:
        """The present moment."""
        return cls(utc_text(clock.now()), clock.trusted())


class IdMaker:
    """Ids in the form of RFC 9562 UUIDs version 7: 48 bits of milliseconds, a 12-bit counter, 62 random bits.

    For one thread: the event loop's.
    """

    def __init__(self, clock: Clock, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self._clock = clock
        self._random_bytes = random_bytes
        self._last_ms = -1
        self._counter = 0

    def __call__(self) -> str:
        """A new id; later ones sort behind earlier ones while the clock is not set back."""
        now_ms = max(0, (self._clock.now() - _EPOCH) // _MILLISECOND)
        if 0 <= self._last_ms - now_ms < _SLEW_MS:
            self._counter += 1
            self._last_ms += self._counter // _COUNTER_LIMIT
            self._counter %= _COUNTER_LIMIT
        else:
            self._last_ms, self._counter = now_ms, 0
        tail = int.from_bytes(self._random_bytes(8), "big") & (1 << 62) - 1
        return str(uuid.UUID(int=self._last_ms << 80 | 7 << 76 | self._counter << 64 | 0b10 << 62 | tail))


def id_time(record_id: str) -> datetime:
    """When an id was made. Raises: ValueError for text that is no id."""
    return _EPOCH + (uuid.UUID(record_id).int >> 80) * _MILLISECOND
