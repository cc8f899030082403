"""The journal: structured log lines, one event each, for a technician and for journald.

The only place that imports structlog. Caller numbers are personal: they go into records, not into the journal.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

Journal = structlog.typing.FilteringBoundLogger


def open_journal(*, verbose: bool = False, faults_only: bool = False, json_lines: bool = False) -> None:
    """Send the journal to standard error, as text for people or as one JSON object a line."""
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
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def journal(name: str) -> Journal:
    """A journal whose lines carry the name of the part that writes them."""
    logger: Journal = structlog.get_logger(part=name)
    return logger
