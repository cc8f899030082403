"""A backup is good when it was opened and everything in it was read; nothing else counts as good. Blocking."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from firmware.durable_files import plain_errors
from firmware.errors import BackupUnusable
from firmware.storage.archive import Member, members_of
from firmware.storage.backup_layout import RECORDINGS, check_name
from firmware.storage.backup_manifest import MANIFEST, Manifest, parse_manifest
from firmware.storage.snapshot import check_snapshot, recordings_of
from firmware.storage.store_files import DATABASE_FILE
from firmware.wav import HEADER_BYTES

CHUNK_BYTES = 64 * 1024
LEFT_OVER = ".linekeeper-backup-"
"""How the names begin of what is only there while a backup is made or checked."""
_LARGEST_MANIFEST_BYTES = 64 * 1024 * 1024


@contextmanager
def told_of(file: Path) -> Iterator[None]:
    """Say which backup cannot be used."""
    try:
        with plain_errors(file, "name another backup"):
            yield
    except BackupUnusable as error:
        raise BackupUnusable(f"{file} cannot be used as a backup: {error}") from error


def read_manifest(file: Path) -> Manifest:
    """What a backup says of itself; nothing else of it is read. Raises: BackupUnusable, StorageError."""
    with told_of(file), file.open("rb") as archive:
        return _open(archive)[0]


def check_backup(file: Path, work_folder: Path) -> Manifest:
    """Read all of it: every checksum, the database, and the recordings that the database refers to.

    The database is unpacked into `work_folder` for a while. Raises: BackupUnusable, StorageError.
    """
    with told_of(file), file.open("rb") as archive:
        manifest, members = _open(archive)
        for name, member in members.items():
            if name != DATABASE_FILE:
                for _ in proved_chunks(archive, member, manifest):
                    pass
        with tempfile.TemporaryDirectory(prefix=f"{LEFT_OVER}check-", dir=work_folder) as folder:
            database = Path(folder) / DATABASE_FILE
            with database.open("xb") as unpacked:
                unpacked.writelines(proved_chunks(archive, members[DATABASE_FILE], manifest))
            check_snapshot(database)
            _check_recordings(recordings_of(database), manifest)
        return manifest


def open_backup(archive: BinaryIO) -> tuple[Manifest, dict[str, Member]]:
    """What a backup says of itself, and where everything is. Raises: BackupUnusable."""
    return _open(archive)


def proved_chunks(archive: BinaryIO, member: Member, manifest: Manifest) -> Iterator[bytes]:
    """The bytes of one file, and at their end the proof. Raises: BackupUnusable."""
    archive.seek(member.at)
    left, digest = member.size, hashlib.sha256()
    while left:
        chunk = archive.read(min(CHUNK_BYTES, left))
        if not chunk:
            raise BackupUnusable("it ends too early; it was cut off")
        digest.update(chunk)
        left -= len(chunk)
        yield chunk
    if digest.hexdigest() != manifest.files[member.name].sha256:
        raise BackupUnusable(f"{member.name} in it is damaged")


def _open(archive: BinaryIO) -> tuple[Manifest, dict[str, Member]]:
    found = list(members_of(archive))
    members = {member.name: member for member in found}
    if len(members) < len(found):
        raise BackupUnusable("it holds a file twice")
    for name in members:
        check_name(name)
    manifest = _manifest(archive, found)
    del members[MANIFEST]
    if {name: member.size for name, member in members.items()} != {n: mark.size for n, mark in manifest.files.items()}:
        raise BackupUnusable("what it holds is not what it lists; it is damaged")
    if DATABASE_FILE not in members:
        raise BackupUnusable("there is no database in it")
    return manifest, members


def _manifest(archive: BinaryIO, found: list[Member]) -> Manifest:
    if not found or found[-1].name != MANIFEST or found[-1].size > _LARGEST_MANIFEST_BYTES:
        raise BackupUnusable("it lists no contents; it was cut off, or is no backup of Linekeeper")
    archive.seek(found[-1].at)
    return parse_manifest(archive.read(found[-1].size))


def _check_recordings(wanted: dict[str, int], manifest: Manifest) -> None:
    if manifest.database_only:
        return
    for file in sorted(wanted.keys() - set(manifest.incomplete)):
        mark = manifest.files.get(f"{RECORDINGS}/{file}")
        if mark is None or mark.size < HEADER_BYTES + wanted[file]:
            raise BackupUnusable(f"the recording {file} is missing in it")
