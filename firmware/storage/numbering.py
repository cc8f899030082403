"""Numbers of the outbox in a database that takes another one's place: what was sent under a number stays its own."""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

LARGEST_NUMBER = 2**53
"""What every JSON reader takes for a whole number; no appliance comes near it by itself."""
# Whoever restores one backup twice must not come to the same numbers twice; there is room for a million restores.
_LEAST, _MOST = 2**20, 2**32


def jump_ahead(file: Path) -> None:
    """Versions and sequence numbers go on far above all that were given out. Raises: sqlite3.Error."""
    with closing(sqlite3.connect(file)) as db, db:
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'outbox_counter'").fetchone():
            return
        jump = _LEAST + secrets.randbelow(_MOST - _LEAST)
        db.execute("UPDATE outbox_counter SET version = version + ?1, least_seq = least_seq + ?1", (jump,))
        db.execute("UPDATE outbox_route SET last_seq = last_seq + ?", (jump,))
