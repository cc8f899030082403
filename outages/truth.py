"""What must be at the collector in the end, read from the appliance's own records, as its commands show them."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from firmware.storage.queries import Records
from firmware.storage.recordings_folder import FOLDER
from firmware.storage.store_files import DATABASE_FILE

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Truth:
    """By record id. `audio` holds what each recording's file hashes to."""

    bodies: Mapping[str, tuple[str, Body]]
    audio: Mapping[str, str]
    erased: frozenset[str]
    queued: int
    quarantined: int

    @property
    def last_bodies(self) -> int:
        """How many records are alive."""
        return len(self.bodies)


def read_truth(data_dir: Path, ever_made: Iterable[str]) -> Truth:
    """`ever_made` are ids of records that were there once: those that are gone were erased. Nothing may run."""
    bodies: dict[str, tuple[str, Body]] = {}
    with Records(data_dir, ZoneInfo("UTC")) as records:
        lists = {
            "call": records.calls(),
            "message": records.messages(),
            "callback": records.callbacks(),
            "incident": records.incidents(),
        }
    for kind, every in lists.items():
        bodies |= {record["id"]: (kind, record) for record in every}
    with closing(sqlite3.connect(data_dir / DATABASE_FILE)) as db:
        files = dict(db.execute("SELECT id, file FROM recording").fetchall())
        rows = db.execute("SELECT id, call_id, purpose, end FROM recording").fetchall()
        ((queued, quarantined),) = db.execute(
            "SELECT count(*), count(*) FILTER (WHERE state = 'quarantined') FROM outbox"
        )
    bodies |= {row[0]: ("recording", dict(zip(("id", "call_id", "purpose", "end"), row, strict=True))) for row in rows}
    audio = {name: _hash_of(data_dir / FOLDER / file) for name, file in files.items()}
    return Truth(bodies, audio, frozenset(ever_made) - bodies.keys(), queued - quarantined, quarantined)


def _hash_of(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
