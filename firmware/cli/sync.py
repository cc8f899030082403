"""Delivery of records to another place."""

from __future__ import annotations

import json

import typer

from firmware.cli.frame import Json, group, settings_of

_sync = group("sync", "delivery of records to another place")


@_sync.command("status")
def sync_status(context: typer.Context, as_json: Json = False) -> None:
    """Tell what waits for delivery and how the last one went."""
    from firmware.services.sync import sync_status as status_of

    status = status_of(settings_of(context))
    if as_json:
        print(json.dumps(status, ensure_ascii=False))
        return
    for name, value in status.items():
        print(f"{name}: {'-' if value is None else value}")
