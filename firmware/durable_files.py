"""File operations that survive a power cut. Blocking: call them in a thread.

A rename or removal is on the disk only after the folder was synced, and a renamed file is whole only if it was synced
before (power-reference 2.2, measured on ext4).
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from firmware.errors import DiskFull, StorageError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
# The services may run as different users of one group; nobody else reads what callers said.
FILE_MODE = 0o640
FOLDER_MODE = 0o750


_CURE = "name another data_dir, or mend this one"


def storage_error(error: OSError, place: Path, cure: str = _CURE) -> StorageError:
    """The error of the operating system in our own tree, as a plain sentence."""
    if error.errno in _NO_ROOM:
        return DiskFull(f"the disk is full; free some space for {place.parent}")
    return StorageError(f"{place} cannot be used: {error.strerror or error}; {cure}")


@contextmanager
def plain_errors(place: Path, cure: str = _CURE) -> Iterator[None]:
    """Turn OSError into StorageError or DiskFull about `place`; `cure` says what to do."""
    try:
        yield
    except OSError as error:
        raise storage_error(error, place, cure) from error


def sync_folder(folder: Path) -> None:
    """Make renames, creations and removals in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def rename_durably(source: Path, target: Path) -> None:
    """Give a synced file its final name in the same folder."""
    source.rename(target)
    sync_folder(target.parent)


def remove_durably(file: Path) -> None:
    """Remove a file so that it stays removed; nothing happens where there is none."""
    file.unlink(missing_ok=True)
    sync_folder(file.parent)


def write_durably(target: Path, content: bytes) -> None:
    """Write a whole file: either the old or the new content is there, never a mixture."""
    # A power cut leaves it behind, and after the next start a process may well have the same id.
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        rename_durably(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def new_file(file: Path) -> BinaryIO:
    """Create a file that must not exist yet, for writing; others do not read it, and no link is followed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(file, flags, FILE_MODE), "wb")


def make_folder(folder: Path) -> None:
    """Create a folder and its parents, durably."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
        sync_folder(folder.parent)


@dataclass(frozen=True, slots=True)
class DiskRoom:
    """How much an ordinary user has left on a disk, of how much there is for him."""

    free_bytes: int
    total_bytes: int


def disk_room(folder: Path) -> DiskRoom:
    """How full the disk of a folder is. What the system keeps for itself counts as used, as in df(1)."""
    status = os.statvfs(folder)
    used = status.f_blocks - status.f_bfree
    return DiskRoom(status.f_bavail * status.f_frsize, (used + status.f_bavail) * status.f_frsize)


def free_bytes(folder: Path) -> int:
    """Room that an ordinary user has left on this disk."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def identity_of(file: Path) -> tuple[int, int]:
    """Which file a name means now: another one, once it was replaced. Raises: OSError."""
    status = file.stat()
    return status.st_dev, status.st_ino
