"""Months of records.

A UUIDv7 begins with 48 bits of milliseconds (RFC 9562, 5.7), so a month is a range of ids. Months are made ahead; where
one was late, its records lie in the default partition and move in the transaction that makes the month.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from collector.database import Database, Transaction
from collector.migrating import take_turn

MONTHS_AHEAD = 3
_MOVE_SECONDS = 600.0
_THERE = "SELECT 1 AS one FROM pg_class WHERE relname = %s AND relnamespace = current_schema()::regnamespace"
_MOVE = """WITH moved AS (DELETE FROM record_default WHERE record_id >= %s AND record_id < %s RETURNING *)
INSERT INTO {table} SELECT * FROM moved"""
# Before it, ids belong to `record_early` (migration 001).
_FIRST = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month in UTC."""

    year: int
    number: int
    """1 to 12."""

    @classmethod
    def of(cls, at: datetime) -> Month:
        """The month that a moment lies in."""
        at = at.astimezone(UTC)
        return cls(at.year, at.month)

    def after(self, months: int = 1) -> Month:
        """So many months later."""
        count = self.year * 12 + self.number - 1 + months
        return Month(count // 12, count % 12 + 1)

    @property
    def first_id(self) -> UUID:
        """The lowest id of this month."""
        return lowest_id(datetime(self.year, self.number, 1, tzinfo=UTC))

    @property
    def table(self) -> str:
        """The name of its partition."""
        return f"record_{self.year:04}_{self.number:02}"


def lowest_id(at: datetime) -> UUID:
    """The lowest id that a record of this moment can have; before 1970 there is none lower than zero."""
    milliseconds = int(at.timestamp() * 1000)
    return UUID(int=max(milliseconds, 0) << 80)


async def make_ahead(database: Database, now: datetime) -> list[str]:
    """Make last month, this one and the next ones where they are missing; the names of those that were made.

    Raises: DatabaseUnavailable, Busy: the records go to the default partition meanwhile.
    """
    wanted = [Month.of(now).after(offset) for offset in range(-1, MONTHS_AHEAD + 1)]
    return await make_months(database, [month for month in wanted if month >= Month.of(_FIRST)])


async def make_months(database: Database, months: list[Month]) -> list[str]:
    """Make these months where they are missing, each in a transaction of its own. Raises: DatabaseUnavailable, Busy."""
    return [month.table for month in months if await _make(database, month)]


async def _make(database: Database, month: Month) -> bool:
    async with database.transaction(statement_seconds=_MOVE_SECONDS) as work:
        if await _exists(work, month):
            return False
        await take_turn(work)
        if await _exists(work, month):  # another copy was first
            return False
        await _make_month(work, month)
        return True


async def _exists(work: Transaction, month: Month) -> bool:
    # Not to_regclass: within a transaction it may still remember that there was none before the lock.
    return await work.row(_THERE, [month.table]) is not None


async def _make_month(work: Transaction, month: Month) -> None:
    first, end = month.first_id, month.after().first_id
    # Attached instead of created in place, the others go on storing meanwhile, but for what belongs to the default.
    await work.run("LOCK TABLE record_default IN ACCESS EXCLUSIVE MODE")
    await work.run(f"CREATE TABLE {month.table} (LIKE record INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    await work.run(_MOVE.format(table=month.table), [first, end])
    await work.run(f"ALTER TABLE record ATTACH PARTITION {month.table} FOR VALUES FROM ('{first}') TO ('{end}')")
