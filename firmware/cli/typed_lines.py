"""Lines typed on a terminal, without blocking the event loop and without changing how the terminal is set."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

GIVE_UP = "g"
_MOST_BYTES = 1024


class TypedLines:
    """What a person answers. The end of the terminal counts as giving up, now and from then on."""

    def __init__(self) -> None:
        self._lines: asyncio.Queue[str] = asyncio.Queue()
        self._ended = False

    async def next(self) -> str:
        """The next line, in small letters; "" for Enter alone. May be cancelled without losing one."""
        return GIVE_UP if self._ended and self._lines.empty() else await self._lines.get()

    def take(self, typed: bytes) -> None:
        """Something was typed."""
        if not typed:
            self._ended = True
            self._lines.put_nowait(GIVE_UP)
        for line in typed.decode("utf-8", "replace").splitlines():
            self._lines.put_nowait(line.strip().lower())


@contextmanager
def typed_lines() -> Iterator[TypedLines]:
    """Inside, the terminal is read. Raises: typer.BadParameter where standard input is none."""
    if not sys.stdin.isatty():
        raise typer.BadParameter("this needs a person at a terminal; run it in one")
    terminal = sys.stdin.fileno()
    loop = asyncio.get_running_loop()
    typed = TypedLines()

    def read() -> None:
        # Called when the terminal has a whole line, so this does not wait.
        data = os.read(terminal, _MOST_BYTES)
        typed.take(data)
        if not data:
            loop.remove_reader(terminal)

    loop.add_reader(terminal, read)
    try:
        yield typed
    finally:
        loop.remove_reader(terminal)
