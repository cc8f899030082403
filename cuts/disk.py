"""A small ext4 file system on a loop device, made ready once and copied for every cut."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_IMAGE_BYTES = 24 * 1024 * 1024
_MKFS = ("mkfs.ext4", "-q", "-F", "-m", "0", "-J", "size=4")


class Disk:
    """`base` holds what was there before the work; `work` is what the cut leaves."""

    def __init__(self, folder: Path, name: str) -> None:
        self._base = folder / f"{name}.base"
        self._work = folder / f"{name}.work"
        self._mount_point = folder / "disk"
        self._mount_point.mkdir(exist_ok=True)

    def make(self) -> None:
        """An empty file system as base."""
        with self._base.open("wb") as image:
            image.truncate(_IMAGE_BYTES)
        _run(*_MKFS, str(self._base))

    def renew(self) -> None:
        """The work image is like the base again."""
        _run("cp", "--sparse=always", str(self._base), str(self._work))

    @contextmanager
    def base(self) -> Iterator[Path]:
        """The base, mounted."""
        with self._mounted(self._base) as folder:
            yield folder

    @contextmanager
    def work(self) -> Iterator[Path]:
        """The work image, mounted; mounting replays the journal, as the kernel does after a power cut."""
        with self._mounted(self._work) as folder:
            yield folder

    @contextmanager
    def _mounted(self, image: Path) -> Iterator[Path]:
        _run("mount", "-o", "loop", str(image), str(self._mount_point))
        try:
            yield self._mount_point
        finally:
            _run("umount", str(self._mount_point))


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
