"""Who is let in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from collector.cli.frame import DatabaseUrl, Json, app, group, print_rows, say, with_database

if TYPE_CHECKING:
    from collector.database import Database

devices = group("devices", "the appliances that enrolled")
_MOST_HOURS = 24 * 365
_MOST = 1_000_000
Which = Annotated[str, typer.Argument(help="its id or its name")]


@app.command("claim")
def claim_command(
    url: DatabaseUrl,
    name: Annotated[str, typer.Argument(help="what people call the appliance")],
    company: Annotated[str, typer.Option(help="whose it is; made where there is none of this name")] = "main",
    hours: Annotated[float, typer.Option(min=0.01, max=_MOST_HOURS, help="how long the code is good")] = 72.0,
    as_json: Json = False,
) -> None:
    """Print a one-time code that lets one appliance enrol."""
    from datetime import timedelta

    from collector.identity.enrolment import make_claim
    from firmware.clock import SystemClock

    now, life = SystemClock().now(), timedelta(hours=hours)

    async def work(database: Database) -> str:
        return await make_claim(database, name, company, now, life)

    code = with_database(url, work)
    ends = (now + life).isoformat()
    say(json.dumps({"code": code, "name": name, "company": company, "expires_at": ends}) if as_json else code)


@app.command("deny")
def deny_command(
    url: DatabaseUrl, which: Which, reason: Annotated[str | None, typer.Option(help="for people")] = None
) -> None:
    """Let an appliance in no more: at once, on every copy."""
    from collector.identity.deny_list import deny

    async def work(database: Database) -> UUID:
        return await deny(database, which, reason)

    say(f"{with_database(url, work)} is denied")


@app.command("allow")
def allow_command(url: DatabaseUrl, which: Which) -> None:
    """Let a denied appliance in again."""
    from collector.identity.deny_list import allow

    async def work(database: Database) -> UUID:
        return await allow(database, which)

    say(f"{with_database(url, work)} is let in")


@devices.command("list")
def devices_list(
    url: DatabaseUrl,
    company: Annotated[str | None, typer.Option(help="of one company")] = None,
    limit: Annotated[int, typer.Option(min=1, max=_MOST, help="at most so many")] = 1000,
    as_json: Json = False,
) -> None:
    """List appliances in the order of their enrolment."""
    from collector.identity.deny_list import list_devices

    async def work(database: Database) -> list[dict[str, Any]]:
        return await list_devices(database, company, limit)

    print_rows(with_database(url, work), as_json, _for_people)


def _for_people(row: dict[str, Any]) -> dict[str, Any]:
    names = ("id", "name", "company", "enrolled_at", "last_seen_at", "queued", "certificate_ends_at")
    state = [f"denied: {row['denied_reason'] or 'no reason given'}"] if row["denied_at"] else []
    return {**{name: row[name] for name in names}, "state": [*state, *(["imported"] if row["imported"] else [])]}
