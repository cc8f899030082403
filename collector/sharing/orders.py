"""Erasures that every appliance of a company is told of, and who has carried them out."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from collector.database import Database, Transaction
from collector.sharing.items import as_json, next_change


async def order_erasure(
    work: Transaction, company: uuid.UUID, receipt: uuid.UUID, body: Mapping[str, Any], counts: Mapping[str, int]
) -> int:
    """Tell every appliance of the company that may still come; how many these are.

    One that is denied does not come; one that enrols later never had what is erased.
    """
    change = await next_change(work, company)
    await work.run(
        "INSERT INTO erasure_order (id, company, change, body, counts) VALUES (%s, %s, %s, %s::jsonb, %s::jsonb)",
        [receipt, company, change, as_json(dict(body)), as_json(dict(counts))],
    )
    told = await work.run(
        "INSERT INTO erasure_order_device (device, change, erasure) SELECT id, %s, %s FROM device"
        " WHERE company = %s AND denied_at IS NULL AND NOT imported",
        [change, receipt, company],
    )
    if told == 0:
        await forget_finished(work, company)
    return told


async def forget_finished(work: Transaction, company: uuid.UUID) -> None:
    """Who was meant is forgotten once every appliance that may still come has erased it."""
    await work.run(
        "UPDATE erasure_order o SET body = NULL WHERE o.company = %s AND o.body IS NOT NULL AND NOT EXISTS"
        " (SELECT FROM erasure_order_device a JOIN device d ON d.id = a.device"
        " WHERE a.erasure = o.id AND a.acknowledged_at IS NULL AND d.denied_at IS NULL)",
        [company],
    )


async def forget_all_finished(database: Database) -> None:
    """The same for every company: an appliance that was denied meanwhile is waited for no more."""
    async with database.transaction() as work:
        for row in await work.rows("SELECT DISTINCT company FROM erasure_order WHERE body IS NOT NULL"):
            await forget_finished(work, row["company"])


async def list_erasures(database: Database, company: str | None = None) -> list[dict[str, Any]]:
    """Every order and how far it has come; nothing in there tells of whom."""
    await forget_all_finished(database)
    return await database.rows(
        "SELECT o.id AS receipt, c.name AS company, o.ordered_at, o.counts, count(a.device) AS appliances,"
        " count(a.acknowledged_at) AS answered, count(*) FILTER (WHERE a.done) AS erased,"
        " coalesce(array_agg(d.name ORDER BY d.name) FILTER (WHERE a.acknowledged_at IS NULL"
        " AND d.denied_at IS NULL), '{}') AS waiting_for, string_agg(DISTINCT a.reason, '; ') AS refused_because,"
        " o.body IS NULL AS forgotten"
        " FROM erasure_order o JOIN company c ON c.id = o.company"
        " LEFT JOIN erasure_order_device a ON a.erasure = o.id LEFT JOIN device d ON d.id = a.device"
        " WHERE %(company)s::text IS NULL OR c.name = %(company)s"
        " GROUP BY o.id, c.name ORDER BY o.ordered_at, o.id",
        {"company": company},
    )
