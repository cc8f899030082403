"""Standard input without blocking the event loop, whatever it is: a terminal, a pipe, a file, or nothing."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path


def nobody_types() -> bool:
    """Whether standard input is /dev/null, as under a service manager or in the background of a script."""
    null = Path(os.devnull).stat()
    ours = os.fstat(sys.stdin.fileno())
    return stat.S_ISCHR(ours.st_mode) and ours.st_rdev == null.st_rdev


async def open_input() -> asyncio.StreamReader:
    """A reader of standard input."""
    reader = asyncio.StreamReader()
    if stat.S_ISREG(os.fstat(sys.stdin.fileno()).st_mode) or nobody_types():
        # epoll takes neither of them, and neither ever makes anybody wait.
        reader.feed_data(sys.stdin.buffer.read())
        reader.feed_eof()
        return reader
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def typed_lines() -> AsyncIterator[str]:
    """Lines, until the input ends."""
    reader = await open_input()
    while line := await reader.readline():
        yield line.decode("utf-8", "replace")


async def typed_keys() -> AsyncIterator[str]:
    """Single characters, until the input ends."""
    reader = await open_input()
    while key := await reader.read(1):
        yield key.decode("ascii", "replace")
