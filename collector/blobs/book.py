"""Rows about recordings: which are whole, and which uploads were begun."""

from __future__ import annotations

from uuid import UUID

from collector.database import Database
from collector.records import blob_rows

_BEGIN = """INSERT INTO upload (device, sha256) VALUES (%s, %s)
ON CONFLICT (device, sha256) DO UPDATE SET begun_at = now()"""
_END = "DELETE FROM upload WHERE device = %s AND sha256 = %s"


class DatabaseBook:
    """`uploads.BlobBook` in PostgreSQL. Raises: CollectorError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def has(self, device: UUID, sha256: str) -> bool:
        """Whether it is whole."""
        return bool(await blob_rows.exists(self._database, device, [sha256]))

    async def begin(self, device: UUID, sha256: str) -> None:
        """Objects of it may exist from now on."""
        await self._run(_BEGIN, device, sha256)

    async def finish(self, device: UUID, sha256: str, size: int) -> None:
        """It is whole. From now on no sweep of unneeded recordings touches it."""
        await blob_rows.note(self._database, device, sha256, size)

    async def forget(self, device: UUID, sha256: str) -> None:
        """It was swept away just before it was noted."""
        await blob_rows.forget(self._database, device, sha256)

    async def end(self, device: UUID, sha256: str) -> None:
        """No parts are left."""
        await self._run(_END, device, sha256)

    async def _run(self, statement: str, device: UUID, sha256: str) -> None:
        async with self._database.transaction() as work:
            await work.run(statement, [device, bytes.fromhex(sha256)])
