"""What can be wrong with the store of recordings."""

from __future__ import annotations

from collector.errors import CollectorError


class BlobsUnavailable(CollectorError):
    """The store cannot be used now."""


class ObjectMissing(CollectorError):
    """There is no such object, or it is shorter."""
