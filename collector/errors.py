"""Every error the collector raises on purpose.

LinekeeperError
└── CollectorError
    ├── DatabaseUnavailable   PostgreSQL is away, or cannot answer now
    ├── Busy                  too much to do at once; the same again later
    ├── Malformed             what was sent is no valid request; the same again is as wrong
    ├── NotFound              no such device, record or company
    ├── DatabaseOther         the database is not in the shape this program needs
    └── ImportRefused         a folder is no export of an appliance, or cannot be read
"""

from __future__ import annotations

from firmware.errors import LinekeeperError


class CollectorError(LinekeeperError):
    """Base of every error of the collector."""


class DatabaseUnavailable(CollectorError):
    """PostgreSQL is away, or cannot answer now: nothing was promised, and the same may be tried again."""


class Busy(CollectorError):
    """Too much to do at once; the same may be tried again."""


class Malformed(CollectorError):
    """What was sent is no valid request; the same again is as wrong."""


class NotFound(CollectorError):
    """There is no such device, record or company."""


class DatabaseOther(CollectorError):
    """The database is not in the shape that this program needs; the message says what to do."""


class ImportRefused(CollectorError):
    """A folder is no export of an appliance, or cannot be read."""
