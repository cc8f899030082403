"""What the parts of the collector need of each other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from collector.database import Transaction
    from collector.records.incoming import IncomingRecord


class Clock(Protocol):
    """The time of day; `firmware.clock.SystemClock` is one."""

    def now(self) -> datetime:
        """In UTC."""


class BlobShelf(Protocol):
    """Where recordings lie: an S3-compatible store or a folder. Raises: CollectorError where it cannot be used."""

    async def has(self, device: UUID, sha256: str) -> bool:
        """Whether this recording is there, whole."""

    async def delete(self, device: UUID, sha256: str) -> None:
        """Take it away; nothing happens where there is none."""


class RecordTaker(Protocol):
    """Acts on records of one kind in the very transaction that stores them.

    It sees those that were stored, not duplicates. What it raises undoes the whole batch.
    """

    async def take(self, work: Transaction, device: UUID, records: Sequence[IncomingRecord]) -> None:
        """Act on records that were just stored."""
