"""One process takes calls for a data folder: a second one would mistake recordings in progress for remains."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from firmware.durable_files import FILE_MODE, make_folder, plain_errors
from firmware.errors import StoreTaken

_LOCK_FILE = "calls.lock"


class Ownership:
    """A lock that the kernel releases with the process, however that ends."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._handle: int | None = None

    def take(self) -> None:
        """Create the folder and own it. Blocks on the disk only. Raises: StoreTaken, StorageError."""
        with plain_errors(self._data_dir):
            make_folder(self._data_dir)
            handle = _open(self._data_dir / _LOCK_FILE)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(handle)
            raise StoreTaken(f"another Linekeeper takes calls with {self._data_dir}; stop it first") from error
        self._handle = handle

    def release(self) -> None:
        """Idempotent."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _open(file: Path) -> int:
    """For writing, so that a disk that takes nothing is told as such."""
    try:
        return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    except PermissionError:
        # Root or another service of the group made it; flock(2) asks for no more than reading.
        return os.open(file, os.O_RDONLY | os.O_CLOEXEC)
