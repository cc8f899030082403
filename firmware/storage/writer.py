"""Writes to the database, and makes up for what it could not take: a call that began then, and the fault itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from peewee import SqliteDatabase

from firmware.errors import RecordNotFound, StorageError
from firmware.journal import journal
from firmware.storage import incident_rows
from firmware.storage.stamps import Stamp

P = ParamSpec("P")
T = TypeVar("T")

INCIDENT_KIND = "database"
# More calls than a day has cannot wait in memory; the oldest go first.
_MOST_OWED = 500


@dataclass(frozen=True, slots=True)
class _Owed:
    """A write that must still happen. It may happen twice, so it must be one that does not mind."""

    work: Callable[..., Any]
    args: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Since when, and why, the database takes nothing."""

    incident_id: str
    summary: str
    since: Stamp


class WritingDatabase(Protocol):
    """A database as far as it is written to, such as `Database`."""

    async def write(self, work: Callable[Concatenate[SqliteDatabase, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` in one transaction; returns after its commit is on the disk. Raises: StorageError."""


class Writer:
    """One for a store. Failures are raised as they come; the incident is written once the database takes it."""

    def __init__(self, database: WritingDatabase, make_id: Callable[[], str], now: Callable[[], Stamp]) -> None:
        self._database = database
        self._make_id = make_id
        self._now = now
        self._owed: list[_Owed] = []
        self._trouble: _Trouble | None = None

    @property
    def trouble(self) -> str | None:
        """Why the database takes nothing, until it takes something again."""
        return None if self._trouble is None else self._trouble.summary

    async def write(self, work: Callable[Concatenate[SqliteDatabase, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Do `work` in a transaction, behind everything owed. Raises: StorageError."""
        owed = tuple(self._owed)
        try:
            done = await self._database.write(_behind, owed, lambda db: work(db, *args, **kwargs))
        except RecordNotFound:
            raise
        except StorageError as error:
            self._trouble = self._trouble or _Trouble(self._make_id(), str(error), self._now())
            raise
        self._owed = [debt for debt in self._owed if debt not in owed]
        await self._tell_trouble()
        return done

    async def write_or_owe(self, work: Callable[..., None], *args: object) -> None:
        """As `write`; what fails is done before the next write that succeeds. `work` must not mind being done twice.

        Raises: RecordNotFound, and owes nothing, where the record that is meant does not exist.
        """
        try:
            await self.write(work, *args)
        except RecordNotFound:
            raise
        except StorageError:
            self._owed = [*self._owed[-_MOST_OWED:], _Owed(work, args)]
            raise

    @property
    def owed(self) -> int:
        """How many writes must still happen."""
        return len(self._owed)

    async def settle(self) -> None:
        """Do what is owed, if anything is. Raises: StorageError."""
        if self._owed:
            await self.write(_nothing)

    async def _tell_trouble(self) -> None:
        trouble, self._trouble = self._trouble, None
        if trouble is not None:
            await self.write(
                incident_rows.insert_past_incident,
                trouble.incident_id,
                INCIDENT_KIND,
                trouble.summary,
                trouble.since,
                self._now(),
            )


def _nothing(db: SqliteDatabase) -> None:
    """For the sake of what is owed."""


def _behind(db: SqliteDatabase, owed: tuple[_Owed, ...], work: Callable[[SqliteDatabase], T]) -> T:
    for debt in owed:
        try:
            debt.work(db, *debt.args)
        except RecordNotFound as error:  # a restored database may not know what the debt is about
            journal("storage").warning("something owed is about a record that is gone", error=str(error))
    return work(db)
