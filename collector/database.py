"""PostgreSQL. The only module that imports psycopg.

Fit for PgBouncer in transaction mode: no prepared statements, no session settings, no session locks; what must hold for
a transaction is set in it. A server that goes away costs an error within `wait_seconds`, never a hang, and is found
again by itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import errors as sqlstates
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

from collector.errors import Busy, CollectorError, DatabaseOther, DatabaseUnavailable, Malformed

Row = dict[str, Any]
Parameters = Mapping[str, Any] | Sequence[Any]

_PROOF_SECONDS = 5
# libpq takes no less (PostgreSQL manual, 34.1.2).
_LEAST_CONNECT_SECONDS = 2
# The far end of a dead TCP connection says nothing: libpq's keepalives notice.
_TCP = {
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
_BUSY = (
    TooManyRequests,
    sqlstates.QueryCanceled,
    sqlstates.LockNotAvailable,
    sqlstates.DeadlockDetected,
    sqlstates.SerializationFailure,
    sqlstates.TooManyConnections,
)
_MISSING = (sqlstates.UndefinedTable, sqlstates.UndefinedColumn, sqlstates.InvalidCatalogName)
# The pool tells of each failed try; whoever asked gets an error, and that is enough.
logging.getLogger("psycopg").addHandler(logging.NullHandler())
_AWAY = "PostgreSQL cannot be reached; nothing was stored, try again"


def collector_error(error: psycopg.Error) -> CollectorError:
    """An error of PostgreSQL or of its client in the collector's tree. Nothing in it tells what was stored."""
    if isinstance(error, _BUSY):
        return Busy("PostgreSQL has too much to do; try again later")
    if isinstance(error, _MISSING):
        return DatabaseOther("the database has no tables of ours; run `linekeeper-collector migrate`")
    if isinstance(error, psycopg.DataError):
        return Malformed("PostgreSQL cannot hold a value in this request")
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError | sqlstates.ReadOnlySqlTransaction):
        return DatabaseUnavailable(_AWAY)
    return DatabaseOther(f"PostgreSQL refused a statement (SQLSTATE {error.sqlstate}); look into its log")


class Transaction:
    """Statements that become true together, when the block of `Database.transaction` is left without an error."""

    def __init__(self, connection: psycopg.AsyncConnection[Row]) -> None:
        self._connection = connection

    async def rows(self, statement: str, parameters: Parameters | None = None) -> list[Row]:
        """Run a statement that gives rows."""
        cursor = await self._connection.execute(statement.encode(), parameters)
        return await cursor.fetchall()

    async def row(self, statement: str, parameters: Parameters | None = None) -> Row | None:
        """The first row, or None."""
        cursor = await self._connection.execute(statement.encode(), parameters)
        return await cursor.fetchone()

    async def run(self, statement: str, parameters: Parameters | None = None) -> int:
        """Run a statement, or several where there are no parameters; how many rows it touched."""
        cursor = await self._connection.execute(statement.encode(), parameters)
        return cursor.rowcount


class Database:
    """A pool of connections. An async context manager; opening waits for no server.

    `wait_seconds` bounds how long a caller waits for a connection, `statement_seconds` one statement, `lock_seconds`
    a wait for a lock. `most_waiting` callers may wait; more are told at once that it is busy. Raises: DatabaseOther
    for what is no URL of PostgreSQL.
    """

    def __init__(
        self,
        url: str,
        *,
        most_connections: int = 8,
        wait_seconds: float = 5.0,
        statement_seconds: float = 15.0,
        lock_seconds: float = 5.0,
        most_waiting: int = 500,
    ) -> None:
        _check_url(url)
        self._statement_seconds = statement_seconds
        self._lock_seconds = lock_seconds
        self._in_use = 0
        self._pool: AsyncConnectionPool[psycopg.AsyncConnection[Row]] = AsyncConnectionPool(
            url,
            connection_class=psycopg.AsyncConnection[Row],
            # We begin and end transactions ourselves, so that BEGIN travels with its settings.
            kwargs={
                "autocommit": True,
                "prepare_threshold": None,
                "row_factory": dict_row,
                "connect_timeout": max(round(wait_seconds), _LEAST_CONNECT_SECONDS),
                "application_name": "linekeeper-collector",
                **_TCP,
            },
            min_size=min(1, most_connections),
            max_size=most_connections,
            timeout=wait_seconds,
            max_waiting=most_waiting,
            # It gives up soon, and the next caller makes it try again: a back-off of minutes would outlast the outage.
            reconnect_timeout=wait_seconds,
            check=_prove_alive,
            open=False,
        )

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Start connecting, in the background."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Let go of every connection. Idempotent."""
        await self._pool.close()

    def counts(self) -> dict[str, int]:
        """How the pool is: `pool_size`, `pool_available`, `requests_waiting` and others (psycopg's names)."""
        return dict(self._pool.get_stats())

    @asynccontextmanager
    async def transaction(
        self, *, statement_seconds: float | None = None, lock_seconds: float | None = None
    ) -> AsyncIterator[Transaction]:
        """Committed when the block ends, rolled back when it raises.

        After an error while committing nobody knows whether it was committed; whoever asks again must be told
        "duplicate". Raises: DatabaseUnavailable, Busy, Malformed, DatabaseOther.
        """
        statement_seconds = statement_seconds or self._statement_seconds
        settings = (
            f"BEGIN; SET LOCAL statement_timeout = {round(statement_seconds * 1000)};"
            f" SET LOCAL lock_timeout = {round((lock_seconds or self._lock_seconds) * 1000)}"
        )
        try:
            async with self._pool.connection() as connection:
                self._in_use += 1
                try:
                    await connection.execute(settings.encode())
                    yield Transaction(connection)
                    await connection.execute(b"COMMIT")
                except BaseException:
                    await _roll_back(connection)
                    raise
                finally:
                    self._in_use -= 1
        except psycopg.Error as error:
            raise self._told(error) from error

    async def rows(self, statement: str, parameters: Parameters | None = None) -> list[Row]:
        """One statement, which is a transaction of its own. Raises: as `transaction`.

        It goes alone, in one exchange where a transaction takes three. So its time is bounded here, by a cancel
        request, and with it any wait for a lock.
        """
        try:
            async with (
                asyncio.timeout(min(self._statement_seconds, self._lock_seconds)),
                self._pool.connection() as connection,
            ):
                self._in_use += 1
                try:
                    cursor = await connection.execute(statement.encode(), parameters)
                    return await cursor.fetchall()
                finally:
                    self._in_use -= 1
        except TimeoutError as error:
            raise Busy("PostgreSQL takes too long over a statement; try again later") from error
        except psycopg.Error as error:
            raise self._told(error) from error

    def _told(self, error: psycopg.Error) -> CollectorError:
        if isinstance(error, PoolTimeout) and self._in_use:
            return Busy("every connection to PostgreSQL is in use; try again later")
        return collector_error(error)


def _check_url(url: str) -> None:
    try:
        conninfo_to_dict(url)
    except psycopg.Error as error:  # its message may hold the password
        raise DatabaseOther("the database is named as postgresql://USER@HOST/NAME; this is no such name") from error


async def _prove_alive(connection: psycopg.AsyncConnection[Row]) -> None:
    # The pool throws away a connection for which this raises psycopg's own error, and takes the next.
    try:
        async with asyncio.timeout(_PROOF_SECONDS):
            await connection.execute(b"")
    except TimeoutError as error:
        await connection.close()
        raise psycopg.OperationalError("no answer") from error


async def _roll_back(connection: psycopg.AsyncConnection[Row]) -> None:
    # A connection that cannot even roll back is closed, and the pool makes another one.
    if connection.closed:
        return
    try:
        async with asyncio.timeout(_PROOF_SECONDS):
            await connection.execute(b"ROLLBACK")
    except (psycopg.Error, TimeoutError):
        with suppress(psycopg.Error):
            await connection.close()
