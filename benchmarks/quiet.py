"""The journal of appliances that run in this process, out of the way of what is printed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from firmware.journal import open_journal


@contextmanager
def journal_to(path: Path) -> Iterator[None]:
    """Inside, the journal goes to this file."""
    with path.open("a", encoding="utf-8") as file:
        open_journal(stream=file)
        try:
            yield
        finally:
            open_journal()
