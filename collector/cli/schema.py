"""Making the database what this program needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collector.cli.frame import DatabaseUrl, app, say, with_database

if TYPE_CHECKING:
    from collector.database import Database


@app.command("migrate")
def migrate_command(url: DatabaseUrl) -> None:
    """Bring the database to this program's version; `serve` does the same at its start."""

    async def work(database: Database) -> None:
        from collector.migrating import migrate
        from collector.partitions import make_ahead
        from firmware.clock import SystemClock

        applied = await migrate(database)
        made = await make_ahead(database, SystemClock().now())
        say(f"applied {', '.join(applied) or 'nothing'}; made {', '.join(made) or 'no'} months")

    with_database(url, work)
