"""Edits that branches made, in the order in which they arrived.

An appliance delivers an edit as a record of kind `shared`. It waits in `shared_edit` from the transaction on that
stored it; whoever comes next - the answer to that delivery, or anybody who asks for news - decides on it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from collector.database import Row, Transaction
from collector.sharing.items import Place, Wanted, edit_item, erase_item, next_change
from collector.sharing.rule import Edit
from firmware.journal import journal
from firmware.uplink_contract.shared_kinds import KINDS, fault_of

_MOST_AT_ONCE = 500
_MOST_TIME_CHARACTERS = 40


async def settle_edits(work: Transaction, company: uuid.UUID) -> int:
    """Decide on the edits that wait, a bounded number of them; how many there were."""
    if not await work.rows("SELECT FROM shared_edit WHERE company = %s LIMIT 1", [company]):
        return 0
    # Whoever settles holds the company's counter, so that two copies never decide in different orders.
    await next_change(work, company)
    rows = await work.rows(
        "DELETE FROM shared_edit WHERE arrival IN (SELECT arrival FROM shared_edit WHERE company = %s"
        " ORDER BY arrival LIMIT %s) RETURNING arrival, device, body",
        [company, _MOST_AT_ONCE],
    )
    for row in sorted(rows, key=lambda row: row["arrival"]):
        await _settle(work, company, row)
    return len(rows)


async def _settle(work: Transaction, company: uuid.UUID, row: Row) -> None:
    body: dict[str, Any] = row["body"]
    erased = erased_item(body)
    if erased is not None:
        await erase_item(work, company, erased)
        return
    wanted = read_edit(body, str(row["device"]))
    if isinstance(wanted, str):
        # It was stored, so it is not refused any more; a good appliance never sends one.
        journal("sharing").warning("an edit was not taken", device=str(row["device"]), reason=wanted)
        return
    await edit_item(work, Place(company, body["kind"], body["key"]), wanted)


def erased_item(body: Mapping[str, Any]) -> uuid.UUID | None:
    """The item that a branch erased, where that is what the record says."""
    return _item_id(body) if body.get("erase") is True else None


def read_edit(body: Mapping[str, Any], device: str) -> Wanted | str:
    """An edit from its record, or what is wrong with it, in a sentence. Pure; the record may hold anything."""
    kind, fields, base, touched = (body.get(name) for name in ("kind", "body", "base_version", "touched"))
    if fault := fault_of(str(kind), body.get("key"), fields):
        return fault
    if not KINDS[str(kind)].branches_edit:
        return f"a {kind} is set at the collector, not at a branch"
    if not isinstance(base, int) or isinstance(base, bool) or not 0 <= base < 2**62:
        return "base_version is a whole number"
    if not isinstance(touched, list) or not set(map(str, touched)) <= set(KINDS[str(kind)].fields):
        return f"touched is a list of fields of a {kind}"
    edited_at = str(body.get("edited_at") or "")[:_MOST_TIME_CHARACTERS]
    edit = Edit(device, base, fields, frozenset(map(str, touched)))
    return Wanted(edit, edited_at=edited_at or None, alias=_item_id(body))


def _item_id(body: Mapping[str, Any]) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(body.get("item")))
    except ValueError:
        return None
