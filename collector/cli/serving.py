"""Running a copy of the collector."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from collector.cli.frame import BlobsPlace, DatabaseUrl, app, say

if TYPE_CHECKING:
    from collector.service import Options

Pem = Annotated[Path | None, typer.Option(exists=True, dir_okay=False)]


@app.command("serve")
def serve_command(
    url: DatabaseUrl,
    blobs: BlobsPlace,
    listen: Annotated[str, typer.Option(help="HOST:PORT; plain HTTP on loopback only")] = "127.0.0.1:8080",
    tls_certificate: Pem = None,
    tls_key: Pem = None,
    metrics: Annotated[str | None, typer.Option(help="HOST:PORT for /metrics, on loopback if unsure")] = None,
    authority: Annotated[Path | None, typer.Option(help="a folder for the authority, instead of the database")] = None,
    certificate_days: Annotated[float, typer.Option(min=0.001, max=3650, help="how long certificates are good")] = 90.0,
    database_connections: Annotated[int, typer.Option(min=2, max=500, help="to PostgreSQL, at most")] = 8,
    working: Annotated[int, typer.Option(min=1, max=1000, help="requests at work at once; more wait")] = 16,
    waiting: Annotated[int, typer.Option(min=1, max=10_000, help="requests at once; more are told to wait")] = 256,
    connections: Annotated[int, typer.Option(min=1, max=100_000, help="of appliances, at most")] = 2000,
) -> None:
    """Run a copy; any number of them may run on one database and one store. Prints `ready` when it answers."""
    from collector.service import Options
    from collector.web.room import Limits
    from collector.web.server import Tls

    if (tls_certificate is None) != (tls_key is None):
        raise typer.BadParameter("--tls-certificate and --tls-key belong together")
    options = Options(
        database=url,
        blobs=blobs,
        listen=listen,
        tls=Tls(tls_certificate, tls_key) if tls_certificate and tls_key else None,
        metrics=metrics,
        authority=authority,
        certificate_days=certificate_days,
        database_connections=database_connections,
        limits=Limits(bodies=waiting, working=working),
        most_connections=connections,
    )
    _run(options)


def _run(options: Options) -> None:
    import asyncio
    import signal

    from collector.service import serve
    from collector.web.server import allow_connections
    from firmware.clock import SystemClock

    async def until_told() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await serve(options, SystemClock(), stop, say)

    allow_connections(options.most_connections)
    asyncio.run(until_told())
