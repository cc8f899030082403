"""One program at a time changes a prompts folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from firmware.errors import PromptError


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold a folder that exists; the kernel lets go of it with the process, however that ends.

    Raises: PromptError while another program holds it; OSError.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _take(handle, folder)
        yield
    finally:
        os.close(handle)


def _take(handle: int, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise PromptError(f"another program is changing the prompts in {folder}; try again when it is done") from error
