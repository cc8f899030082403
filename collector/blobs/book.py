"""Rows about recordings: which are whole, and which uploads were begun."""

from __future__ import annotations

from uuid import UUID

from collector.database import Database

_HAS = "SELECT 1 AS one FROM blob WHERE device = %s AND sha256 = %s"
_BEGIN = """INSERT INTO upload (device, sha256) VALUES (%s, %s)
ON CONFLICT (device, sha256) DO UPDATE SET begun_at = now()"""
_WHOLE = """INSERT INTO blob (device, sha256, bytes) VALUES (%s, %s, %s) ON CONFLICT (device, sha256) DO NOTHING"""


class DatabaseBook:
    """`uploads.BlobBook` in PostgreSQL. Raises: CollectorError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def has(self, device: UUID, sha256: str) -> bool:
        """Whether it is whole."""
        return bool(await self._database.rows(_HAS, [device, bytes.fromhex(sha256)]))

    async def begin(self, device: UUID, sha256: str) -> None:
        """Objects of it may exist from now on."""
        async with self._database.transaction() as work:
            await work.run(_BEGIN, [device, bytes.fromhex(sha256)])

    async def finish(self, device: UUID, sha256: str, size: int) -> None:
        """It is whole. It is needed again, should it have been doomed."""
        name = bytes.fromhex(sha256)
        async with self._database.transaction() as work:
            await work.run(_WHOLE, [device, name, size])
            await work.run("DELETE FROM upload WHERE device = %s AND sha256 = %s", [device, name])
