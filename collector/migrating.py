"""The database's versions: each migration once, in order, whoever comes first.

Any number of copies of the collector may start at once; an advisory lock lets one of them work. Files are named
`NNN_what.sql`; one that was released is never changed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources

from collector.database import Database, Transaction
from collector.errors import DatabaseOther

_NAME = re.compile(r"(\d{3})_[a-z0-9_]+\.sql")
# Any number will do, as long as nobody else uses it in this database: "linekeep" in ASCII.
_LOCK = int.from_bytes(b"linekeep")
_STATEMENT_SECONDS = 3600.0
_TABLE = """CREATE TABLE IF NOT EXISTS migration (
    number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step from one version of the database to the next."""

    number: int
    name: str
    statements: str


def migrations() -> list[Migration]:
    """Those that this program brings, in order."""
    folder = resources.files("collector") / "migrations"
    found = [(match, file) for file in folder.iterdir() if (match := _NAME.fullmatch(file.name))]
    steps = [Migration(int(match[1]), file.name.removesuffix(".sql"), file.read_text("utf-8")) for match, file in found]
    return sorted(steps, key=lambda step: step.number)


async def take_turn(transaction: Transaction) -> None:
    """Let one copy at a time change the tables, until its transaction ends."""
    await transaction.run("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


async def migrate(database: Database) -> list[str]:
    """Bring the database to this program's version; the names of what was applied.

    Raises: DatabaseOther where the database is newer than the program; DatabaseUnavailable, Busy.
    """
    applied = []
    steps = migrations()
    while step := await _next_step(database, steps):
        applied.append(step.name)
    return applied


async def _next_step(database: Database, steps: list[Migration]) -> Migration | None:
    async with database.transaction(statement_seconds=_STATEMENT_SECONDS, lock_seconds=_STATEMENT_SECONDS) as work:
        await take_turn(work)
        await work.run(_TABLE)
        there = {row["number"] for row in await work.rows("SELECT number FROM migration")}
        _refuse_newer(there, steps)
        step = next((step for step in steps if step.number not in there), None)
        if step is not None:
            await work.run(step.statements)
            await work.run("INSERT INTO migration (number, name) VALUES (%s, %s)", [step.number, step.name])
        return step


def _refuse_newer(there: set[int], steps: list[Migration]) -> None:
    newest = steps[-1].number
    if there and max(there) > newest:
        raise DatabaseOther(
            f"the database is at version {max(there)}, this program knows {newest};"
            " install a newer linekeeper-collector"
        )
