"""What is at the collector in the end: its database and its blobs, read without any of its code."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg


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
        self._root = f"{environment['AWS_ENDPOINT_URL']}/{blobs.removeprefix('s3://')}" if environment else blobs
        self._is_folder = not environment

    def hash_of(self, device: str, sha256: str) -> str | None:
        """What is kept under this name hashes to; None where nothing is."""
        data = self._read(f"{device}/{sha256[:2]}/{sha256}")
        return None if data is None else hashlib.sha256(data).hexdigest()

    def _read(self, key: str) -> bytes | None:
        if self._is_folder:
            file = Path(self._root) / key
            return file.read_bytes() if file.is_file() else None
        try:
            with urllib.request.urlopen(f"{self._root}/{key}", timeout=10) as answer:
                return bytes(answer.read())
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return None
