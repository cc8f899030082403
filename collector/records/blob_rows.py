"""What the database knows of recordings: which are whole in the object store, and which are to be taken out of it.

The order that keeps both true: an upload is whole on the shelf, then `note`d, and then looked at once more (`has`), as
a sweep may have taken it away in between; where it is gone, `forget` it, and the appliance sends it again. From `note`
on no sweep touches it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from collector.database import Database, Transaction
from collector.errors import CollectorError
from collector.ports import BlobShelf
from firmware.journal import journal

UNUSED_FOR = timedelta(days=7)
"""Longer than the usual time between a recording and its record; an appliance sends it again where it was too short."""
_AT_ONCE = 500
# A store that is away answers nobody; one recording that it cannot give up must not keep the others.
_MOST_FAILURES = 3
_DOOM = """WITH freed AS (DELETE FROM blob b WHERE b.device = %s AND b.sha256 = ANY(%s::bytea[])
    AND NOT EXISTS (SELECT FROM record r WHERE r.device = b.device AND r.blob_sha256 = b.sha256)
    RETURNING b.device, b.sha256)
INSERT INTO doomed_blob (device, sha256, doomed_at) SELECT device, sha256, %s FROM freed ON CONFLICT DO NOTHING"""
_GIVE_UP = """INSERT INTO doomed_blob (device, sha256, doomed_at) SELECT %s, one, %s FROM unnest(%s::bytea[]) AS one
WHERE NOT EXISTS (SELECT FROM blob b WHERE b.device = %s AND b.sha256 = one) ON CONFLICT DO NOTHING"""
_DOOM_UNUSED = """WITH freed AS (DELETE FROM blob WHERE NOT used AND stored_at < %s RETURNING device, sha256)
INSERT INTO doomed_blob (device, sha256, doomed_at) SELECT device, sha256, %s FROM freed ON CONFLICT DO NOTHING"""
_NEXT = """SELECT device, sha256 FROM doomed_blob WHERE (device, sha256) > (%s, %s)
ORDER BY device, sha256 LIMIT 1 FOR UPDATE SKIP LOCKED"""


async def exists(database: Database, device: UUID, hashes: Sequence[str]) -> set[str]:
    """Those of these SHA-256 (hex) that are whole in the object store. Raises: DatabaseUnavailable, Busy."""
    rows = await database.rows(
        "SELECT encode(sha256, 'hex') AS it FROM blob WHERE device = %s AND sha256 = ANY(%s::bytea[])",
        [device, [bytes.fromhex(sha256) for sha256 in hashes]],
    )
    return {row["it"] for row in rows}


async def note(database: Database, device: UUID, sha256: str, byte_count: int) -> None:
    """A recording is whole on the shelf. Waits for a sweep that is at it. Raises: DatabaseUnavailable, Busy."""
    async with database.transaction() as work:
        key = [device, bytes.fromhex(sha256)]
        await work.run("DELETE FROM doomed_blob WHERE device = %s AND sha256 = %s", key)
        await work.run(
            "INSERT INTO blob (device, sha256, bytes) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING", [*key, byte_count]
        )


async def forget(database: Database, device: UUID, sha256: str) -> None:
    """A recording turned out not to be on the shelf. Raises: DatabaseUnavailable, Busy."""
    async with database.transaction() as work:
        await work.run("DELETE FROM blob WHERE device = %s AND sha256 = %s", [device, bytes.fromhex(sha256)])


async def held(work: Transaction, device: UUID, hashes: Sequence[bytes]) -> dict[bytes, bool]:
    """Those that are there, and whether a record ever used each; they stay at least until the transaction ends."""
    if not hashes:
        return {}
    rows = await work.rows(
        "SELECT sha256, used FROM blob WHERE device = %s AND sha256 = ANY(%s::bytea[]) ORDER BY sha256 FOR UPDATE",
        [device, sorted(set(hashes))],
    )
    return {bytes(row["sha256"]): row["used"] for row in rows}


async def use(work: Transaction, device: UUID, hashes: Sequence[bytes]) -> None:
    """A record refers to these now."""
    if hashes:
        statement = "UPDATE blob SET used = true WHERE device = %s AND sha256 = ANY(%s::bytea[])"
        await work.run(statement, [device, sorted(hashes)])


async def doom(work: Transaction, device: UUID, hashes: Sequence[bytes], now: datetime) -> int:
    """Give up those that no live record of the appliance refers to any more; how many."""
    return await work.run(_DOOM, [device, sorted(set(hashes)), now]) if hashes else 0


async def give_up(work: Transaction, device: UUID, hashes: Sequence[bytes], now: datetime) -> None:
    """As `doom`, and also what has only begun to arrive: an upload may have been cut before its record was erased."""
    if hashes:
        await doom(work, device, hashes, now)
        await work.run(_GIVE_UP, [device, now, sorted(set(hashes)), device])


async def sweep(database: Database, shelf: BlobShelf, now: datetime) -> int:
    """Take recordings that nothing needs out of the object store; how many went.

    Any number of copies may do so at once. One that cannot be taken out now is tried again by the next sweep.
    Raises: DatabaseUnavailable, Busy.
    """
    async with database.transaction() as work:
        await work.run(_DOOM_UNUSED, [now - UNUSED_FOR, now])
    taken = failed = 0
    device, sha256 = UUID(int=0), b""
    while taken < _AT_ONCE and failed < _MOST_FAILURES:
        async with database.transaction() as work:
            row = await work.row(_NEXT, [device, sha256])
            if row is None:
                break
            device, sha256 = row["device"], bytes(row["sha256"])
            gone = await _take_out(work, shelf, device, sha256)
        taken += gone
        failed += not gone
    return taken


async def _take_out(work: Transaction, shelf: BlobShelf, device: UUID, sha256: bytes) -> bool:
    # The row stays locked meanwhile: whoever notes the same recording waits, and then looks whether it is there.
    there = await work.row("SELECT FROM blob WHERE device = %s AND sha256 = %s", [device, sha256])
    if there is None:
        try:
            await shelf.delete(device, sha256.hex())
        except CollectorError as error:
            journal("sweep").warning("a recording stays in the store for now", error=str(error))
            return False
    await work.run("DELETE FROM doomed_blob WHERE device = %s AND sha256 = %s", [device, sha256])
    return True
