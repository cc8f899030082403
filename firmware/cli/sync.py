"""Delivery of records to another place."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from firmware.cli.frame import Json, group, print_records, say, settings_of

_sync = group("sync", "delivery of records to another place")


@_sync.command("status")
def sync_status(context: typer.Context, as_json: Json = False) -> None:
    """Tell what waits for delivery, how the last one went, and what to do."""
    from firmware.services.delivery_view import status_lines
    from firmware.services.sync_commands import sync_status as status_of

    status = status_of(settings_of(context))
    if as_json:
        print(json.dumps(status, ensure_ascii=False))
        return
    for line in status_lines(status):
        say(line)


@_sync.command("now")
def sync_now(context: typer.Context) -> None:
    """Try at once, without waiting for the next try, and ask for news of the company."""
    from firmware.services.sync_commands import deliver_now

    deliver_now(settings_of(context))
    say("it is tried now; see: linekeeper sync status")


@_sync.command("quarantine")
def sync_quarantine(context: typer.Context, as_json: Json = False) -> None:
    """List the records that the far end refused again and again, with its reasons."""
    from firmware.services.sync_commands import quarantined

    print_records(quarantined(settings_of(context)), as_json)


@_sync.command("retry")
def sync_retry(
    context: typer.Context,
    record_id: Annotated[
        str | None, typer.Argument(metavar="ID", help="of one record, as `sync quarantine` shows it")
    ] = None,
    every_one: Annotated[bool, typer.Option("--all", help="all that were set aside")] = False,
) -> None:
    """Deliver again what was set aside, once its reason is mended."""
    from firmware.services.sync_commands import retry

    if (record_id is None) is not every_one:
        raise typer.BadParameter("name one record, or say --all")
    count = retry(settings_of(context), record_id)
    say(f"{count} records wait for delivery again" if count else "nothing was set aside")
