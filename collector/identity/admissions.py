"""Is this appliance let in, and was this nonce used: one statement for all requests that ask at the same time.

While a statement is on its way, the next requests gather for the next one: under load the database sees few statements,
and a lone request does not wait. Nothing is remembered: a denial acts at once on every copy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from collector.database import Database

Asked = tuple[UUID, bytes]

# A commit that is not waited for: after a crash of PostgreSQL the nonces of its last half second may be free again
# (PostgreSQL manual, 30.4), and a replay of such a request has the effect of a repeat. set_config is part of the rows
# that are inserted because a CTE that nobody reads would not be run.
_ADMIT = """
WITH asked AS MATERIALIZED (
    SELECT * FROM unnest(%(devices)s::uuid[], %(nonces)s::bytea[], %(until)s::timestamptz[]) AS a (device, nonce, until)
), used AS (
    INSERT INTO nonce (device, nonce, used_until)
    SELECT a.device, a.nonce, a.until
      FROM (SELECT set_config('synchronous_commit', 'off', true)) AS soon CROSS JOIN asked a
      JOIN device d ON d.id = a.device
    -- In one order: two copies that are sent the same replays wait for each other instead of locking each other out.
    ORDER BY a.device, a.nonce
    ON CONFLICT DO NOTHING
    RETURNING device, nonce
)
SELECT a.device, a.nonce, d.denied_at IS NOT NULL AS denied, d.company, u.nonce IS NOT NULL AS fresh
  FROM asked a JOIN device d ON d.id = a.device LEFT JOIN used u ON u.device = a.device AND u.nonce = a.nonce
"""
_STATEMENTS_AT_ONCE = 2
# In batches, and past what another copy is at: no copy waits for another.
_PRUNE = """DELETE FROM nonce WHERE (device, nonce) IN
    (SELECT device, nonce FROM nonce WHERE used_until < %s LIMIT %s FOR UPDATE SKIP LOCKED)"""
_PRUNED_AT_ONCE = 100_000


@dataclass(frozen=True, slots=True)
class Admission:
    """The database's word on one request."""

    company: UUID
    denied: bool
    fresh: bool


@dataclass(slots=True)
class _Batch:
    asked: dict[Asked, datetime] = field(default_factory=dict)
    task: asyncio.Task[Mapping[Asked, Admission]] | None = None


class Admissions:
    """Asks the database. Raises: CollectorError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._gathering = _Batch()
        self._turn = asyncio.Semaphore(_STATEMENTS_AT_ONCE)

    async def ask(self, device: UUID, nonce: bytes, used_until: datetime) -> Admission | None:
        """None for an appliance that is not known."""
        batch = self._gathering
        key = (device, nonce)
        repeated = key in batch.asked
        batch.asked[key] = used_until
        if batch.task is None:
            batch.task = asyncio.create_task(self._run(batch))
        # Others wait for the same statement: one that gives up must not end it.
        admission = (await asyncio.shield(batch.task)).get(key)
        if admission is not None and repeated:
            return Admission(admission.company, admission.denied, fresh=False)
        return admission

    async def _run(self, batch: _Batch) -> Mapping[Asked, Admission]:
        async with self._turn:
            if self._gathering is batch:
                self._gathering = _Batch()
            rows = await self._database.rows(_ADMIT, _parameters(batch.asked))
        return {(row["device"], row["nonce"]): Admission(row["company"], row["denied"], row["fresh"]) for row in rows}


def _parameters(asked: Mapping[Asked, datetime]) -> Mapping[str, object]:
    return {
        "devices": [device for device, _ in asked],
        "nonces": [nonce for _, nonce in asked],
        "until": list(asked.values()),
    }


async def prune_nonces(database: Database, now: datetime) -> int:
    """Forget nonces whose requests would not be taken any more; how many. Raises: CollectorError."""
    async with database.transaction() as work:
        return await work.run(_PRUNE, [now, _PRUNED_AT_ONCE])
