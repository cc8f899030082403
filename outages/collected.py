"""What is at the collector in the end: its database and its blobs, read without any of its code."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import obstore
import psycopg
from obstore.store import LocalStore, S3Store


@dataclass(frozen=True, slots=True)
class Row:
    """A record there, by the id that it had on the appliance."""

    record_id: str
    device: str
    kind: str
    version: int
    seq: int
    erased: bool
    blob_sha256: str | None
    body: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Progress:
    """What the collector believes of an appliance's queue. `seen` are ranges, first and after-last in turn."""

    highest_seq: int
    queued: int
    seen: Sequence[int]


@dataclass(frozen=True, slots=True)
class Collected:
    """Everything. `doomed` are blobs that its sweeper removes next."""

    rows: Sequence[Row]
    progress: Sequence[Progress]
    blobs: Mapping[tuple[str, str], int]
    doomed: frozenset[str]
    conflicts: int


def read_collected(database: str) -> Collected:
    """Nothing may write meanwhile."""
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            "SELECT coalesce(body->>'id', record_id::text), device::text, kind, version, seq, erased_at IS NOT NULL,"
            " encode(blob_sha256, 'hex'), body FROM record"
        ).fetchall()
        progress = connection.execute("SELECT highest_seq, queued, seen FROM device_progress").fetchall()
        blobs = connection.execute("SELECT device::text, encode(sha256, 'hex'), bytes FROM blob").fetchall()
        doomed = connection.execute("SELECT encode(sha256, 'hex') FROM doomed_blob").fetchall()
        conflicts = connection.execute("SELECT count(*) FROM record_conflict").fetchone()
    return Collected(
        [Row(*row) for row in rows],
        [Progress(*line) for line in progress],
        {(device, sha256): size for device, sha256, size in blobs},
        frozenset(sha256 for (sha256,) in doomed),
        conflicts[0] if conflicts else 0,
    )


class Shelf:
    """The blobs themselves, in a folder or in an object store."""

    def __init__(self, blobs: str, environment: Mapping[str, str]) -> None:
        self._store: LocalStore | S3Store
        if not environment:
            self._store = LocalStore(blobs)
            return
        self._store = S3Store.from_url(
            blobs,
            endpoint=environment["AWS_ENDPOINT_URL"],
            access_key_id=environment["AWS_ACCESS_KEY_ID"],
            secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            region=environment["AWS_DEFAULT_REGION"],
            client_options={"allow_http": True},
        )

    def hash_of(self, device: str, sha256: str) -> str | None:
        """What is kept under this name hashes to; None where nothing is."""
        try:
            data = bytes(obstore.get(self._store, f"{device}/{sha256[:2]}/{sha256}").bytes())
        except FileNotFoundError:
            return None
        return hashlib.sha256(data).hexdigest()
