"""Writes to the database, and makes up for what it could not take: a call that began then, and the fault itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from peewee import IntegrityError, SqliteDatabase

from firmware.errors import DatabaseReplaced, RecordNotFound, StorageError
from firmware.events import CallbackKept, MessageKept
from firmware.journal import journal
from firmware.storage import incident_rows
from firmware.storage.incident_rows import IncidentMet
from firmware.storage.stamps import Stamp

P = ParamSpec("P")
T = TypeVar("T")

INCIDENT_KIND = "database"
# More calls than a day has cannot wait in memory; the oldest go first.
_MOST_OWED = 500


@dataclass(frozen=True, slots=True)
class _Write:
    """A write that must still happen, or that was acknowledged. It may happen twice, and must not mind.

    The number that was told with it, or the incident that it met, is its `own` for good.
    """

    work: Callable[..., Any]
    args: tuple[Any, ...]
    own: Mapping[str, object] = field(default_factory=dict)

    def do(self, db: SqliteDatabase) -> None:
        """In a database that may know of it or not."""
        self.work(db, *self.args, **self.own)


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Since when, and why, the database takes nothing."""

    incident_id: str
    summary: str
    since: Stamp


class WritingDatabase(Protocol):
    """A database as far as it is written to, such as `Database`."""

    @property
    def is_open(self) -> bool:
        """Whether writes are carried out at once."""

    @property
    def is_gone(self) -> bool:
        """Whether it was closed for good."""

    async def write(self, work: Callable[Concatenate[SqliteDatabase, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` in one transaction; returns after its commit is on the disk. Raises: StorageError."""


class OpeningDatabase(Protocol):
    """A database that only its store uses yet."""

    async def run(self, work: Callable[[SqliteDatabase], None]) -> None:
        """Run `work`, which makes its own transactions. Raises: StorageError."""


class Writer:
    """One for a store. Failures are raised as they come; the incident is written once the database takes it.

    The latest `most_remembered` writes are kept in memory for `settle`, until `forget`.
    """

    def __init__(
        self,
        database: WritingDatabase,
        make_id: Callable[[], str],
        now: Callable[[], Stamp],
        most_remembered: int = 0,
    ) -> None:
        self._database = database
        self._make_id = make_id
        self._now = now
        self._owed: list[_Write] = []
        self._done: deque[_Write] = deque(maxlen=most_remembered)
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
        except DatabaseReplaced:
            self._owed = [*self._done, *self._owed]
            self._done.clear()
            return await self.write(work, *args, **kwargs)
        except RecordNotFound:
            raise
        except StorageError as error:
            self.met_trouble(error)
            raise
        self._remember(owed, work, args, done)
        await self._tell_trouble()
        return done

    async def write_or_owe(self, work: Callable[..., object], *args: object) -> None:
        """As `write`; what fails is done before the next write that succeeds. `work` must not mind being done twice.

        While the database is not open, nothing is waited for: it is owed at once.
        Raises: RecordNotFound, and owes nothing, where the record that is meant does not exist.
        """
        if not self._database.is_open and not self._database.is_gone:
            self._owe(work, args)
            return
        try:
            await self.write(work, *args)
        except RecordNotFound:
            raise
        except StorageError:
            self._owe(work, args)
            raise

    @property
    def owed(self) -> int:
        """How many writes must still happen."""
        return len(self._owed)

    def met_trouble(self, error: StorageError) -> None:
        """The database takes nothing; an incident tells of it later."""
        self._trouble = self._trouble or _Trouble(self._make_id(), str(error), self._now())

    async def settle(self, database: OpeningDatabase, *, replaced: bool) -> None:
        """Write what is owed into a database that was just opened, before others may write.

        Where it took the place of another one, everything that was acknowledged in this run comes first.
        Raises: StorageError.
        """
        owed = tuple(self._owed)
        settling = [*(self._done if replaced else ()), *owed]
        await database.run(partial(_do_all_again, settling))
        self._paid(owed)

    async def catch_up(self) -> None:
        """Write what is owed and what went wrong, without waiting for another reason to write. Raises: StorageError."""
        if self._owed or self._trouble:
            await self.write(_nothing)

    def done_so_far(self) -> Sequence[object]:
        """What was acknowledged until now, for `forget`."""
        return tuple(self._done)

    def forget(self, done: Sequence[object]) -> None:
        """A backup holds it."""
        forgotten = {id(one) for one in done}
        self._done = deque((one for one in self._done if id(one) not in forgotten), maxlen=self._done.maxlen)

    def _owe(self, work: Callable[..., object], args: tuple[object, ...]) -> None:
        self._owed = [*self._owed[-_MOST_OWED:], _Write(work, args)]

    def _remember(
        self, owed: tuple[_Write, ...], work: Callable[..., Any], args: tuple[Any, ...], result: object
    ) -> None:
        self._paid(owed)
        self._done.append(_Write(work, args, _own(result)))

    def _paid(self, owed: tuple[_Write, ...]) -> None:
        self._owed = [debt for debt in self._owed if debt not in owed]
        self._done.extend(owed)

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


def _own(result: object) -> Mapping[str, object]:
    if isinstance(result, MessageKept | CallbackKept):
        return {"number": result.number}
    return {"incident_id": result.incident_id} if isinstance(result, IncidentMet) else {}


def _nothing(db: SqliteDatabase) -> None:
    """Only what is owed."""


def _do_all_again(settling: Sequence[_Write], db: SqliteDatabase) -> None:
    with db.atomic():
        for write in settling:
            _try_again(db, write.do)


def _behind(db: SqliteDatabase, owed: tuple[_Write, ...], work: Callable[[SqliteDatabase], T]) -> T:
    for debt in owed:
        _try_again(db, debt.do)
    return work(db)


def _try_again(db: SqliteDatabase, work: Callable[[SqliteDatabase], None]) -> None:
    # What it belongs to may be gone for good: erased meanwhile, or lost with a database.
    try:
        with db.atomic():
            work(db)
    except (RecordNotFound, IntegrityError) as error:
        journal("storage").warning("a write cannot be made up for", error=str(error))
