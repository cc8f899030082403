"""Whose new content is and who may write it, so that a restored or replaced database serves every service at once.

On an appliance the services are users of one group, and whoever restores is root. Blocking.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_READ_AND_WRITE = 0o660


def share_as_folder(file: Path, folder: Path) -> None:
    """Whoever may write into the folder may write the file, whatever the umask is. Raises: OSError."""
    mode = folder.stat().st_mode & _READ_AND_WRITE
    with suppress(PermissionError):  # file systems of sticks have no modes to change
        file.chmod(mode)


def give_to_owner_of(present: Path, new: Path) -> None:
    """New content gets the owner and group of what has its place now; only root can give. Raises: OSError."""
    if os.geteuid() != 0 or not present.exists():
        return
    owner = present.stat()
    for path in _tree(new):
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _tree(top: Path) -> Iterator[Path]:
    yield top
    for place, folders, files in os.walk(top):
        yield from (Path(place) / name for name in (*folders, *files))
