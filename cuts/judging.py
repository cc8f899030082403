"""What must hold after every cut, whatever was under way."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from firmware.clock import SystemClock
from firmware.storage.recovery import RecoverySummary
from firmware.storage.store import Store
from firmware.storage.store_files import DATABASE_FILE

DATA = "data"


@asynccontextmanager
async def next_start(folder: Path) -> AsyncIterator[tuple[Store, RecoverySummary]]:
    """The store as the next start opens it."""
    store = new_store(folder)
    summary = await store.open()
    try:
        yield store, summary
    finally:
        await store.close()


def new_store(folder: Path) -> Store:
    """The store of a folder, not open yet."""
    return Store(folder / DATA, SystemClock(), keep_free_megabytes=0)


def violations_of(summary: RecoverySummary) -> Iterator[str]:
    """What recovery could not put right."""
    yield from (f"recovery left {problem}" for problem in summary.problems)
    yield from (f"no file for the row of {file}" for file in summary.missing_files)


def unsound(folder: Path) -> Iterator[str]:
    """A database or a recordings folder in disorder; nothing may have them open."""
    with closing(sqlite3.connect(folder / DATA / DATABASE_FILE)) as db:
        for (line,) in db.execute("PRAGMA integrity_check"):
            if line != "ok":
                yield f"integrity: {line}"
        yield from (f"a broken reference: {broken}" for broken in db.execute("PRAGMA foreign_key_check"))
        rows = {file for (file,) in db.execute("SELECT file FROM recording WHERE released_at IS NULL")}
        yield from (f"doomed and not removed: {file}" for (file,) in db.execute("SELECT file FROM doomed_file"))
        yield from (f"not ended: call {call}" for (call,) in db.execute("SELECT id FROM call WHERE ended_at IS NULL"))
    files = {file.name for file in (folder / DATA / "recordings").iterdir()}
    yield from (f"no file for the row of {file}" for file in rows - files)
    yield from (f"no row for the file {file}" for file in files - rows)
