"""Erasing what a caller asked to have erased."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from collector.cli.frame import DatabaseUrl, Json, app, counted, group, print_rows, say, with_database

if TYPE_CHECKING:
    from collector.database import Database
    from collector.sharing.erasing import Ordered

_erasures = group("erasures", "what was erased, and which appliances have done the same")


@app.command("erase")
def erase(
    url: DatabaseUrl,
    number: str,
    company: Annotated[str, typer.Option("--company", help="whose caller")],
    as_json: Json = False,
) -> None:
    """Erase all that one number left, in every spelling, here and at every appliance of the company."""
    from collector.sharing.erasing import erase_everywhere
    from firmware.clock import SystemClock

    async def work(database: Database) -> Ordered:
        return await erase_everywhere(database, company, number, SystemClock().now())

    ordered = with_database(url, work)
    receipt = ordered.receipt
    if as_json:
        counts = {**receipt.counts, "shared": ordered.shared_items}
        told = {"receipt": str(receipt.id), "at": receipt.erased_at.isoformat(), "counts": counts}
        say(json.dumps({**told, "appliances": ordered.appliances}))
        return
    words = [
        counted(count, "sound file" if kind == "blob" else kind) for kind, count in receipt.counts.items() if count
    ]
    words += [counted(ordered.shared_items, "shared entry", "shared entries")] if ordered.shared_items else []
    say(f"erased here: {', '.join(words) or 'nothing, as nothing was there'}; calls stay, without who called")
    say(f"{counted(ordered.appliances, 'appliance')} will erase too, within 15 minutes where the network is there;")
    say("`linekeeper-collector erasures list` shows which have done it")
    say(f"receipt {receipt.id}, {receipt.erased_at.isoformat(timespec='seconds')}")


@_erasures.command("list")
def erasures_list(
    url: DatabaseUrl,
    company: Annotated[str | None, typer.Option(help="of one company")] = None,
    as_json: Json = False,
) -> None:
    """List erasures; nothing in here tells of whom."""
    from collector.sharing.orders import list_erasures

    async def work(database: Database) -> list[dict[str, Any]]:
        return await list_erasures(database, company)

    print_rows(with_database(url, work), as_json, _for_people)


def _for_people(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("receipt", "company", "ordered_at")},
        "erased_here": ", ".join(f"{count} {kind}" for kind, count in row["counts"].items()),
        "appliances_done": f"{row['erased']} of {row['appliances']}",
        **{name: row[name] for name in ("waiting_for", "refused_because")},
        "who_it_was": "forgotten" if row["forgotten"] else "kept until all have erased",
    }
