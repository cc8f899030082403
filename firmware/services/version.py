"""Which version this is."""

from __future__ import annotations

from importlib import metadata


def version() -> str:
    """As the package was built."""
    return metadata.version("linekeeper")
