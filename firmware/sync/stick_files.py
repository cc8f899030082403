"""Files on a stick or share: whole under their names, or not there. Blocking. Raises: OSError.

A stick is vfat most often: no permissions, no links, times to two seconds. Nothing here depends on any of them.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

_PIECE_BYTES = 256 * 1024
# Some network file systems cannot sync a folder; there the server keeps names safe, or nobody does.
_NO_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EBADF)
_UNFINISHED = ".tmp"


class OtherContent(OSError):
    """A file does not hold what its record says."""


def make_folders(*folders: Path) -> None:
    """Parents come first."""
    for folder in folders:
        if not folder.is_dir():
            folder.mkdir()
            _sync_folder(folder.parent)


def put(target: Path, pieces: Iterable[bytes]) -> None:
    """Under a dot name, synced, renamed, the folder synced."""
    temporary = target.with_name(f".{secrets.token_hex(8)}{_UNFINISHED}")
    try:
        with temporary.open("xb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
        _sync_folder(target.parent)
    except BaseException:
        _remove_quietly(temporary)
        raise


def copy(source: Path, target: Path, sha256: str) -> None:
    """A file under the name of its content. Raises: OtherContent where it is not that, or cannot be read."""
    if target.is_file() and _hash_of(_pieces_of(target)) == sha256:
        # The name may be from a try that failed at this very step.
        _sync_folder(target.parent)
        return
    digest = hashlib.sha256()

    def checked() -> Iterator[bytes]:
        # Only what `source` fails at is met here: what the stick fails at is met by whoever writes.
        try:
            for piece in _pieces_of(source):
                digest.update(piece)
                yield piece
        except OSError as error:
            raise OtherContent(f"{source.name} cannot be read ({error.strerror or error})") from error
        if digest.hexdigest() != sha256:
            raise OtherContent(f"{source.name} was changed")

    put(target, checked())


def remove(*files: Path) -> None:
    """So that they stay removed; those that are not there are passed over."""
    for file in files:
        file.unlink(missing_ok=True)
    for folder in {file.parent for file in files}:
        _sync_folder(folder)


def remove_unfinished(folder: Path) -> None:
    """What a stick that was pulled, or a power cut, left behind."""
    remove(*(file for file in folder.iterdir() if file.name.startswith(".") and file.suffix == _UNFINISHED))


def _pieces_of(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE_BYTES):
            yield piece


def _hash_of(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(handle)


def _remove_quietly(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError:  # the stick is gone, and what is left is removed when it comes back
        return
