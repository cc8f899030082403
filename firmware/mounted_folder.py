"""A folder that should be on another disk: a USB stick, a network share. Blocking.

A stick that is not plugged in leaves an empty folder on the disk of the records; what is put in there is nowhere.
"""

from __future__ import annotations

import os
from pathlib import Path

from firmware.errors import StorageError


def check_mounted(folder: Path, home: Path, *, same_disk: bool, section: str, path_key: str) -> None:
    """`home` is on the disk of the records; `section` and `path_key` name the settings.

    Raises: StorageError, OSError.
    """
    if not folder.is_dir():
        raise StorageError(f"the folder {folder} is not there; plug the stick in, or correct {section}.{path_key}")
    if not os.access(folder, os.W_OK):
        raise StorageError(f"the folder {folder} cannot be written; is the stick write-protected or mounted read-only?")
    same = home.is_dir() and folder.stat().st_dev == home.stat().st_dev
    if same and not same_disk:
        raise StorageError(
            f"the folder {folder} is on the same disk as the records; plug the stick in, "
            f"or set {section}.same_disk to true"
        )
