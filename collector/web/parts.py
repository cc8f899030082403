"""What the addresses work with; `collector/service.py` puts it together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from collector.blobs.uploads import Uploads
from collector.database import Database
from collector.identity.enrolment import Registrar
from collector.records.store import RecordStore
from collector.web.door import Door
from collector.web.metrics import Metrics


class LatestChange(Protocol):
    """The number of the last change for an appliance; it asks for what is new when that is higher than its own."""

    async def __call__(self, device: UUID) -> int:
        """Raises: CollectorError."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Of one copy of the collector."""

    door: Door
    registrar: Registrar
    uploads: Uploads
    database: Database
    records: RecordStore
    latest_change: LatestChange
    metrics: Metrics
    checks: Sequence[Callable[[], Awaitable[None]]]
    """What `/readyz` asks: each raises CollectorError or BlobsUnavailable."""
