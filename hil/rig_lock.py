"""Keeps two runs from sharing one rig's hardware: a lock that the kernel frees when its holder dies."""

from __future__ import annotations

import fcntl
import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hil.rig import RigAbsent


@contextmanager
def rig_lock(rig_file: Path) -> Iterator[None]:
    """Hold the rig of this file. Raises: RigAbsent when another run on this host holds it."""
    mark = hashlib.sha256(str(rig_file.resolve()).encode()).hexdigest()[:16]
    with (Path(tempfile.gettempdir()) / f"linekeeper-rig-{mark}.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RigAbsent(f"another run uses the rig of {rig_file}; wait for its end") from None
        yield
