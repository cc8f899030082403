"""`linekeeper bench serve` on standard input and output."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from firmware.errors import ConfigurationError, Problem, ServiceError
from firmware.services.signals import until_told_to_stop
from firmware.services.typed_input import nobody_types, typed_lines
from firmware.simulation.bench_serve import serve
from firmware.simulation.json_lines import Message


async def serve_on_standard_streams(
    lines: int, profile: str, country: str, directory: Path | None, say: Callable[[str], None]
) -> None:
    """Serve until standard input ends or a signal comes; without any input, until a signal comes.

    Raises: ConfigurationError for a profile or country that does not exist, ServiceError for the directory.
    """

    def emit(message: Message) -> None:
        say(json.dumps(message, ensure_ascii=False))

    with tempfile.TemporaryDirectory(prefix="linekeeper-bench-") as own_directory:
        try:
            await serve(lines, profile, country, directory or Path(own_directory), _commands(), emit)
        except ValueError as error:
            raise ConfigurationError([Problem("bench", 0, str(error))]) from error
        except OSError as error:
            place = directory or own_directory
            raise ServiceError(f"the bench cannot use {place}: {error.strerror}; name another --directory") from error


async def _commands() -> AsyncIterator[str]:
    """Lines of standard input; ends with it, or at a signal."""
    nobody = nobody_types()
    stopped = asyncio.ensure_future(until_told_to_stop())
    typed = typed_lines()
    try:
        while not stopped.done():
            line = asyncio.ensure_future(anext(typed, None))
            await asyncio.wait({line, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not line.done():
                line.cancel()
            elif (text := line.result()) is not None:
                yield text
            elif nobody:
                await stopped
            else:
                return
    finally:
        stopped.cancel()
