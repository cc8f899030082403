"""Incidents of a command or service that does not own the store: one short transaction beside it. Blocking."""

from __future__ import annotations

from pathlib import Path

from firmware.errors import StorageError
from firmware.ports import Clock
from firmware.storage import incident_rows
from firmware.storage.database import connect, plain_database_errors, writable
from firmware.storage.migrations import refuse_newer, refuse_older
from firmware.storage.stamps import IdMaker, Stamp
from firmware.storage.store_files import DATABASE_FILE


def tell_incident(data_dir: Path, clock: Clock, kind: str, place: str, sentence: str | None) -> None:
    """A fault began, or is over where there is no sentence. Raises: StorageError."""
    file = data_dir / DATABASE_FILE
    if not file.is_file():
        raise StorageError(f"there are no records in {data_dir} yet; start Linekeeper with it first")
    db = writable(file)
    now = Stamp.now(clock)
    try:
        with plain_database_errors(file):
            connect(db)
            refuse_newer(db)
            refuse_older(db)
            with db.atomic():
                if sentence is None:
                    incident_rows.close_incident(db, kind, place, now)
                else:
                    incident_rows.open_incident(db, IdMaker(clock)(), kind, place, sentence, now)
    finally:
        db.close()
