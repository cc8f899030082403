"""What the addresses work with; `collector/service.py` puts it together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from collector.blobs.uploads import Uploads
from collector.identity.enrolment import Registrar
from collector.web.door import Door
from collector.web.metrics import Metrics
from collector.web.models import RecordAnswer, RecordsRequest


@dataclass(frozen=True, slots=True)
class Seen:
    """The highest numbers that an appliance has delivered."""

    company: str
    highest_seq: int
    highest_version: int


class RecordTaker(Protocol):
    """Takes batches. Raises: CollectorError."""

    async def take(self, device: UUID, batch: RecordsRequest) -> Sequence[RecordAnswer]:
        """Returns after the commit."""

    async def seen(self, device: UUID) -> Seen:
        """How far it is."""


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
    records: RecordTaker
    latest_change: LatestChange
    metrics: Metrics
    checks: Sequence[Callable[[], Awaitable[None]]]
    """What `/readyz` asks: each raises CollectorError or BlobsUnavailable."""
