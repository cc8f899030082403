"""The journal: structured log lines, one event each, for a technician and for journald.

The only place that imports structlog. Caller numbers are personal: they go into records, not into the journal.
"""

from __future__ import annotations

import io
import logging
import sys
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

Journal = structlog.typing.FilteringBoundLogger


class _Stream(io.TextIOBase):
    """A stream, else standard error as it is now. What nobody can take is dropped: no line may fail for it."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):  # a broken pipe, a full disk, a closed file
            (self._stream or sys.stderr).write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            (self._stream or sys.stderr).flush()


def open_journal(
    *, verbose: bool = False, faults_only: bool = False, json_lines: bool = False, stream: TextIO | None = None
) -> None:
    """Send the journal to standard error or to `stream`, as text for people or as one JSON object a line."""
    level = logging.DEBUG if verbose else logging.WARNING if faults_only else logging.INFO
    renderer: Any = structlog.processors.JSONRenderer() if json_lines else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _Stream(stream))),
        cache_logger_on_first_use=False,
    )


def journal(name: str) -> Journal:
    """A journal whose lines carry the name of the part that writes them."""
    logger: Journal = structlog.get_logger(part=name)
    return logger
