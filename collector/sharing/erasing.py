"""Forgetting one caller everywhere: at the collector at once, and at every appliance of the company when it comes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from collector.database import Database, Transaction
from collector.records.erasing import Receipt, erase_caller
from collector.records.numbers import canonical
from collector.sharing.editing import company_called
from collector.sharing.edits import settle_edits
from collector.sharing.items import erase_item
from collector.sharing.orders import order_erasure
from firmware.uplink_contract.shared_kinds import ALLOWED, BLOCKED, CONTACT, ERASED_KEY

_OF_CALLERS = [CONTACT, BLOCKED, ALLOWED]


@dataclass(frozen=True, slots=True)
class Ordered:
    """What was erased here, and how many appliances are told to do the same."""

    receipt: Receipt
    shared_items: int
    appliances: int


async def erase_everywhere(database: Database, company: str, number: str, now: datetime) -> Ordered:
    """Everything of one number, in all its spellings. Raises: NotFound, DatabaseUnavailable, Busy."""
    async with database.transaction() as work:
        owner = await company_called(work, company)
        receipt = await erase_caller(work, owner, number, now)
        items = await _erase_items(work, owner, number)
        counts = {**receipt.counts, **({"shared": items} if items else {})}
        appliances = await order_erasure(work, owner, receipt.id, {"caller": number}, counts)
    return Ordered(receipt, items, appliances)


async def _erase_items(work: Transaction, company: uuid.UUID, number: str) -> int:
    # What a branch wrote of this caller and nobody has looked at yet is among the items afterwards.
    while await settle_edits(work, company):
        pass
    row = await work.row("SELECT country FROM company WHERE id = %s", [company])
    assert row
    wanted = canonical(number, row["country"])
    rows = await work.rows(
        "SELECT id, key FROM shared_item WHERE company = %s AND kind = ANY(%s) AND NOT starts_with(key, %s)"
        " ORDER BY id",
        [company, _OF_CALLERS, ERASED_KEY],
    )
    found = [one["id"] for one in rows if canonical(one["key"], row["country"]) == wanted]
    for item in found:
        await erase_item(work, company, item)
    return len(found)
