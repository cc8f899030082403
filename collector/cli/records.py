"""What arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from collector.cli.frame import DatabaseUrl, Json, app, complain, group, print_rows, say, with_database

if TYPE_CHECKING:
    from collector.database import Database

records = group("records", "what arrived from the appliances")
_MOST = 100_000


@records.command("list")
def records_list(
    url: DatabaseUrl,
    device: Annotated[str | None, typer.Option(help="of one appliance: its id or its name")] = None,
    kind: Annotated[str | None, typer.Option(help="call, message, callback, incident, ...")] = None,
    limit: Annotated[int, typer.Option(min=1, max=_MOST, help="at most so many, the newest ones")] = 100,
    as_json: Json = False,
) -> None:
    """List records, oldest first; `--json` tells their contents as well."""
    from collector.records.listing import list_records

    async def work(database: Database) -> list[dict[str, Any]]:
        return await list_records(database, device=device, kind=kind, limit=limit)

    print_rows(with_database(url, work), as_json, _for_people)


def _for_people(row: dict[str, Any]) -> dict[str, Any]:
    """What it says is for programs, and not for a table."""
    state = {"erased": row["erased"], "urgent": row["urgent"], "clock not set": not row["clock_trusted"]}
    return {
        **{name: row[name] for name in ("at", "device", "seq", "kind", "id")},
        "recording": f"{row['blob'][:12]}..." if row["blob"] else None,
        "state": [name for name, true in state.items() if true],
    }


@app.command("gaps")
def gaps_command(
    url: DatabaseUrl,
    device: Annotated[str, typer.Argument(help="an appliance: its id or its name")],
    as_json: Json = False,
) -> None:
    """Show which numbers an appliance gave away and never delivered."""
    from collector.records.listing import device_named
    from collector.records.progress import Gaps, gaps

    async def work(database: Database) -> Gaps:
        async with database.transaction() as transaction:
            found = await device_named(transaction, device)
        return await gaps(database, found)

    found = with_database(url, work)
    rows = [{"first": first, "last": last, "count": last - first + 1} for first, last in found.ranges]
    if rows or as_json:
        print_rows(rows, as_json)
    else:
        say("none: every number that it gave away arrived, or still waits there")
    if found.forgotten:
        complain(f"{found.forgotten} more are missing, too many to tell apart")
