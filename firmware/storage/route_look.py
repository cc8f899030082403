"""Whether records are queued for anybody: a look that costs a process none of the memory of the rest."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from firmware.storage.store_files import DATABASE_FILE


def fills_routes(data_dir: Path) -> bool:
    """False also where that cannot be told: then nothing is lost, and the next start looks again."""
    file = data_dir / DATABASE_FILE
    if not file.exists():
        return False
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db,
    ):
        return db.execute("SELECT 1 FROM outbox_route LIMIT 1").fetchone() is not None
    return False
