"""Records and recordings on the appliance's own disk: what was acknowledged is still there after a power cut.

peewee imports every database driver that is installed; PostgreSQL's, which a collector on the same machine needs, would
cost each service 17 MB. So it is imported here first, and sees SQLite's alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_OTHER_DRIVERS = ("psycopg", "psycopg2", "psycopg2cffi", "pymysql", "MySQLdb")


@contextmanager
def _hidden(names: tuple[str, ...]) -> Iterator[None]:
    """As if these were not installed; one that is in use already stays as it is."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None means: cannot be imported
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


with _hidden(_OTHER_DRIVERS):
    import peewee  # noqa: F401
