"""Backups, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from firmware.cli.frame import app, settings_of


@app.command()
def backup(
    context: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="where to; an older backup of this name is replaced")] = None,
    scheduled: Annotated[bool, typer.Option("--scheduled", help="into the folder of the configuration")] = False,
    before_update: Annotated[bool, typer.Option("--before-update", help="the same, by an update")] = False,
) -> None:
    """Make one checked file of all records, recordings and own prompts; services may run."""
    from firmware.clock import SystemClock
    from firmware.services.backups import backup_by_schedule, backup_to, give_way_to_calls

    by_schedule = scheduled or before_update
    if by_schedule is (file is not None):
        raise typer.BadParameter("name a file, or say --scheduled")
    give_way_to_calls()
    if file is not None:
        made, manifest = file, backup_to(settings_of(context), file, SystemClock())
    else:
        added = backup_by_schedule(settings_of(context), SystemClock())
        made, manifest = added.file, added.manifest
    size = sum(mark.size for mark in manifest.files.values())
    print(f"{made}: {len(manifest.files)} files, {size / 1e6:.1f} MB, opened and checked")
    for name in manifest.incomplete:
        print(f"missing on the disk, and so in the backup: recording {name}")


@app.command()
def restore(context: typer.Context, file: Path) -> None:
    """Go back to a backup; stop the services first. What is there now is kept aside."""
    from firmware.clock import SystemClock
    from firmware.services.backups import restore_from

    restored = restore_from(settings_of(context), file, SystemClock())
    print(f"restored what was saved at {restored.manifest.made_at}")
    if restored.aside is not None:
        print(f"what was there before is kept in {restored.aside}; remove that folder once all is well")
