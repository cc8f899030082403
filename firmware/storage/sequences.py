"""The numbers that were given out. Callers hold them, so none may come again, whatever happened to the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

# Above what anybody was told since the newest backup, where nothing else is known: 1,000 messages are weeks of an
# office's calls, and a spoken number grows by a digit at most.
UNKNOWN_MARGIN = 1000


def sequences_of(file: Path) -> dict[str, int]:
    """The highest number of each table that counts. Raises: sqlite3.Error where they cannot be read."""
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as db:
        names = _counting_tables(db)
        known = {str(name): int(value) for name, value in db.execute("SELECT name, seq FROM sqlite_sequence")}
        return {name: known.get(name, 0) for name in names}


def readable_sequences(file: Path) -> dict[str, int] | None:
    """The same; None where the database is missing or too damaged to tell."""
    if not file.is_file():
        return None
    try:
        return sequences_of(file)
    except (sqlite3.Error, ValueError, TypeError):
        return None


def raise_sequences(file: Path, given_out: Mapping[str, int], margin: int = 0) -> None:
    """Numbers go on behind those given out, `margin` higher still. Raises: sqlite3.Error."""
    with closing(sqlite3.connect(file)) as db, db:
        for name in _counting_tables(db):
            found = db.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (name,)).fetchone()
            least = max(found[0] if found else 0, given_out.get(name, 0)) + margin
            db.execute("DELETE FROM sqlite_sequence WHERE name = ?", (name,))
            db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, least))


def _counting_tables(db: sqlite3.Connection) -> list[str]:
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'"
    return [name for (name,) in db.execute(query)]
