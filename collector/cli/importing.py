"""What appliances without a network wrote into a folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.frame import BlobsPlace, DatabaseUrl, Json, app, complain, counted, say, with_database

if TYPE_CHECKING:
    from collector.database import Database
    from collector.importing.importer import Imported


@app.command("import")
def import_command(
    url: DatabaseUrl,
    folder: Annotated[Path, typer.Argument(help="a USB stick or a share, as appliances in mode `folder` write it")],
    blobs: BlobsPlace,
    company: Annotated[str | None, typer.Option(help="whose appliances, where they are not known")] = None,
    as_json: Json = False,
) -> None:
    """Import records and recordings; what was imported before stays as it is."""

    async def work(database: Database) -> Imported:
        from collector.blobs.housekeeping import RecordingShelf
        from collector.blobs.shelf import open_shelf
        from collector.importing.importer import Importer
        from collector.migrating import migrate
        from collector.partitions import make_ahead
        from collector.records.store import RecordStore
        from firmware.clock import SystemClock

        shelf = RecordingShelf(open_shelf(blobs))
        await migrate(database)
        await make_ahead(database, SystemClock().now())
        return await Importer(database, RecordStore(database, SystemClock()), shelf).run(folder, company)

    _show(with_database(url, work), as_json)


def _show(result: Imported, as_json: bool) -> None:
    counts = dict(sorted(result.counts.items()))
    if as_json:
        told = {"appliances": result.appliances, "recordings": result.recordings, **counts, "problems": result.problems}
        say(json.dumps(told, ensure_ascii=False))
    else:
        records = ", ".join(f"{count} {outcome}" for outcome, count in counts.items()) or "none"
        appliances, recordings = counted(result.appliances, "appliance"), counted(result.recordings, "recording")
        say(f"{appliances}, {recordings}; records: {records}")
        for problem in result.problems:
            complain(problem)
    if result.hidden_problems:
        complain(f"and {result.hidden_problems} more like these")
    if result.problems:
        raise typer.Exit(1)
