"""Whose new content is and who may write it, so that a restored or replaced database serves every service at once.

On an appliance the services are users of one group, and whoever restores is root. Blocking.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_READ_AND_WRITE = 0o660


def share_as_folder(file: Path, folder: Path) -> None:
    """Whoever may write into the folder may write the file, whatever the umask is. Raises: OSError."""
    mode = folder.stat().st_mode & _READ_AND_WRITE
    with suppress(PermissionError):  # file systems of sticks have no modes to change
        file.chmod(mode)


def take_place(new: Path, present: Path, folder: Path) -> None:
    """New content is as open as what has its place now, and a file at least as open as the folder it comes into.

    It gets the owner and group of what has its place; only root can give. Raises: OSError.
    """
    if new.is_file():
        share_as_folder(new, folder)
    if not present.exists():
        return
    meant = present.stat()
    if os.geteuid() == 0:
        for path in _tree(new):
            os.chown(path, meant.st_uid, meant.st_gid, follow_symlinks=False)
    new.chmod(stat.S_IMODE(new.stat().st_mode | meant.st_mode))


def _tree(top: Path) -> Iterator[Path]:
    yield top
    for place, folders, files in os.walk(top):
        yield from (Path(place) / name for name in (*folders, *files))
