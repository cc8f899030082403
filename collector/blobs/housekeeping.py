"""What abandoned uploads left behind is taken away; any number of copies may do so at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from collector.blobs.shelf import Shelf
from collector.blobs.uploads import parts_prefix, whole_key
from collector.database import Database, Transaction

ABANDONED_AFTER = timedelta(days=7)
"""An appliance that comes back later begins that upload anew."""
_AT_ONCE = 500
# Ordered by key from the last one on, so that one which cannot be swept now does not hold up the others.
_NEXT = """SELECT device, sha256 FROM upload WHERE begun_at < %s AND (device, sha256) > (%s, %s)
ORDER BY device, sha256 LIMIT 1 FOR UPDATE SKIP LOCKED"""


class RecordingShelf:
    """`ports.BlobShelf`: recordings by appliance and hash. Raises: BlobsUnavailable."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def put(self, device: UUID, sha256: str, content: bytes) -> None:
        """Keep a whole recording, durably."""
        await self._shelf.put(whole_key(device, sha256), content)

    async def has(self, device: UUID, sha256: str) -> bool:
        """Whether this recording is there, whole."""
        return await self._shelf.size(whole_key(device, sha256)) is not None

    async def delete(self, device: UUID, sha256: str) -> None:
        """Take it away, with the parts that may be left of it."""
        await self._shelf.delete([whole_key(device, sha256), *await part_keys(self._shelf, device, sha256)])


async def part_keys(shelf: Shelf, device: UUID, sha256: str) -> list[str]:
    """The parts that are there of a recording."""
    prefix = parts_prefix(device, sha256)
    return [f"{prefix}{name}" for name in await shelf.sizes(prefix)]


async def sweep_uploads(database: Database, shelf: Shelf, now: datetime) -> int:
    """Take away what was begun and not finished for days; how many uploads. Raises: CollectorError."""
    swept = 0
    last = (UUID(int=0), b"")
    while swept < _AT_ONCE:
        async with database.transaction() as work:
            row = await work.row(_NEXT, [now - ABANDONED_AFTER, *last])
            if row is None:
                break
            last = (row["device"], bytes(row["sha256"]))
            # The row stays locked: an upload that begins anew waits until the old parts are gone.
            await _sweep(work, shelf, *last)
        swept += 1
    return swept


async def _sweep(work: Transaction, shelf: Shelf, device: UUID, sha256: bytes) -> None:
    keys = await part_keys(shelf, device, sha256.hex())
    if await work.row("SELECT 1 FROM blob WHERE device = %s AND sha256 = %s", [device, sha256]) is None:
        keys.append(whole_key(device, sha256.hex()))
    await shelf.delete(keys)
    await work.run("DELETE FROM upload WHERE device = %s AND sha256 = %s", [device, sha256])
