"""Makes a backup: one file that holds a snapshot of the database and the recordings it refers to. Blocking.

Works beside a running service. Recordings never change under their final names, so they are copied as they lie; one
that is gone meanwhile was replaced or erased after the snapshot, which then is taken again.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from firmware.durable_files import new_file, plain_errors, rename_durably
from firmware.errors import StorageError
from firmware.storage.archive import BLOCK_BYTES, header_of, is_name, padding_of
from firmware.storage.backup_check import CHUNK_BYTES, LEFT_OVER, check_backup
from firmware.storage.backup_layout import OWN_VOICE, RECORDINGS
from firmware.storage.backup_manifest import MANIFEST, FileMark, Manifest
from firmware.storage.snapshot import content_of, recordings_of, take_snapshot, version_of_file
from firmware.storage.stamps import Stamp
from firmware.storage.store_files import DATABASE_FILE
from firmware.wav import HEADER_BYTES

_MOST_SNAPSHOTS = 20
# Little at a time is on its way to the disk: what a call wants to be durable does not queue behind a whole backup.
_SYNC_BYTES = 4 * 1024 * 1024
# The service's own small backup takes seconds: a weekly one that meets it waits, instead of being left out for a week.
# The other way round nobody waits: the threads are those of recordings, and the next try is soon.
_PATIENCE_SECONDS = 60.0
_LOOK_AGAIN_SECONDS = 0.25


def make_backup(
    data_dir: Path, target: Path, made: Stamp, sequence: int = 0, *, database_only: bool = False
) -> Manifest:
    """Write it beside the target, open and check it, and only then give it its name.

    Raises: StorageError, DiskFull, BackupUnusable; then the target is what it was.
    """
    temporary = target.with_name(f"{LEFT_OVER}{secrets.token_hex(4)}")
    snapshot = temporary.with_suffix(".db")
    with (
        plain_errors(target, "choose another place for the backup"),
        _only_one(data_dir, 0.0 if database_only else _PATIENCE_SECONDS),
    ):
        _remove_left_overs(target.parent)
        try:
            with new_file(temporary) as file:
                _Writing(file, data_dir, snapshot, database_only).fill(made, sequence)
            manifest = check_backup(temporary, target.parent)
            rename_durably(temporary, target)
        finally:
            _remove_left_overs(target.parent)
    return manifest


@contextmanager
def _only_one(data_dir: Path, patience_seconds: float) -> Iterator[None]:
    """One at a time, the other one waits a while; the folder itself is locked, which asks nothing of its disk."""
    handle = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    give_up_at = time.monotonic() + patience_seconds
    try:
        while not _lock(handle):
            if time.monotonic() >= give_up_at:
                raise StorageError("another backup is being made; try again when it is done")
            time.sleep(_LOOK_AGAIN_SECONDS)
        yield
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove_left_overs(folder: Path) -> None:
    """What this backup needed for a while, or one that was cut short."""
    for left in folder.glob(f"{LEFT_OVER}*"):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


class _Writing:
    """One archive while it is written."""

    def __init__(self, file: BinaryIO, data_dir: Path, snapshot: Path, database_only: bool) -> None:
        self._file = file
        self._data_dir = data_dir
        self._snapshot = snapshot
        self._database_only = database_only
        self._marks: dict[str, FileMark] = {}
        self._missed: set[str] = set()
        self._incomplete: set[str] = set()
        self._unsynced = 0

    def fill(self, made: Stamp, sequence: int) -> None:
        if not self._database_only:
            self._add_own_voice()
        self._add_what_is_recorded()
        with self._snapshot.open("rb") as database:
            self._add(DATABASE_FILE, database)
        manifest = Manifest(
            made_at=made.at,
            clock_trusted=made.trusted,
            content=content_of(self._snapshot),
            sequence=sequence,
            database_version=version_of_file(self._snapshot),
            database_only=self._database_only,
            incomplete=tuple(sorted(self._incomplete)),
            files=self._marks,
        )
        self._add_bytes(MANIFEST, manifest.dump())
        self._file.write(bytes(2 * BLOCK_BYTES))
        self._file.flush()
        os.fsync(self._file.fileno())

    def _add_own_voice(self) -> None:
        for path in sorted((self._data_dir / OWN_VOICE).rglob("*")):
            name = path.relative_to(self._data_dir).as_posix()
            if path.is_file() and not path.is_symlink() and is_name(name):
                with path.open("rb") as source:
                    self._add(name, source)

    def _add_what_is_recorded(self) -> None:
        for _ in range(_MOST_SNAPSHOTS):
            self._snapshot.unlink(missing_ok=True)
            take_snapshot(self._data_dir / DATABASE_FILE, self._snapshot)
            if self._database_only or self._add_recordings():
                return
        raise StorageError("recordings went away faster than they could be copied; try again when it is quieter")

    def _add_recordings(self) -> bool:
        """False where one is gone: whether the records still know it, only a new snapshot tells."""
        for file, data_bytes in sorted(recordings_of(self._snapshot).items()):
            name = f"{RECORDINGS}/{file}"
            try:
                if name not in self._marks:
                    with (self._data_dir / name).open("rb") as source:
                        self._add(name, source)
            except FileNotFoundError:
                if file not in self._missed:
                    self._missed.add(file)
                    return False
            if name not in self._marks or self._marks[name].size < HEADER_BYTES + data_bytes:
                self._incomplete.add(file)
        return True

    def _add(self, name: str, source: BinaryIO) -> None:
        size = os.fstat(source.fileno()).st_size
        self._file.write(header_of(name, size))
        digest = hashlib.sha256()
        for chunk in _chunks(source, size):
            digest.update(chunk)
            self._write(chunk)
        self._file.write(bytes(padding_of(size)))
        self._marks[name] = FileMark(size, digest.hexdigest())

    def _add_bytes(self, name: str, content: bytes) -> None:
        self._file.write(header_of(name, len(content)) + content + bytes(padding_of(len(content))))

    def _write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self._unsynced += len(chunk)
        if self._unsynced >= _SYNC_BYTES:
            self._file.flush()
            os.fdatasync(self._file.fileno())
            self._unsynced = 0


def _chunks(source: BinaryIO, size: int) -> Iterator[bytes]:
    left = size
    while left:
        chunk = source.read(min(CHUNK_BYTES, left))
        if not chunk:
            raise StorageError(f"{source.name} became shorter while it was copied")
        left -= len(chunk)
        yield chunk
