"""One copy of the collector: its parts put together, served until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from collector.blobs.book import DatabaseBook
from collector.blobs.housekeeping import RecordingShelf, sweep_uploads
from collector.blobs.shelf import Shelf, open_shelf
from collector.blobs.uploads import Uploads
from collector.database import Database
from collector.errors import CollectorError
from collector.identity.admissions import Admissions, prune_nonces
from collector.identity.authority_store import authority_in_database, authority_in_folder
from collector.identity.certificates import Authority
from collector.identity.enrolment import Registrar
from collector.identity.gatekeeper import Gatekeeper
from collector.migrating import migrate
from collector.partitions import make_ahead
from collector.periodic import Periodic
from collector.ports import Clock
from collector.records.blob_rows import sweep
from collector.records.store import RecordStore
from collector.sharing.down import DownChannel
from collector.sharing.orders import forget_all_finished
from collector.web.app import build_app
from collector.web.door import Door
from collector.web.metrics import Metrics, metrics_page
from collector.web.parts import Parts
from collector.web.room import Limits, Room
from collector.web.routes.down import DOWN_BODIES, down_routes
from collector.web.server import Tls, WebServer, is_loopback, listen_at


@dataclass(frozen=True, slots=True)
class Options:
    """How a copy is run. The URL of the database may hold a password: nothing prints it."""

    database: str = field(repr=False)
    blobs: str
    listen: str
    tls: Tls | None = None
    metrics: str | None = None
    authority: Path | None = None
    certificate_days: float = 90.0
    database_connections: int = 8
    limits: Limits = field(default_factory=Limits)
    most_connections: int = 2000


@dataclass(frozen=True, slots=True)
class Collector:
    """What a running copy has."""

    database: Database
    shelf: Shelf
    parts: Parts
    address: tuple[str, int]


@asynccontextmanager
async def running(options: Options, clock: Clock) -> AsyncIterator[Collector]:
    """A copy that answers, for as long as the block lasts; then what is under way is finished.

    Raises: CollectorError, StorageError.
    """
    async with AsyncExitStack() as stack:
        listener = listen_at(options.listen)
        stack.callback(listener.close)
        if options.tls is None and not is_loopback(listener):
            raise CollectorError(
                f"{options.listen} can be reached from elsewhere, and plain HTTP is for this machine only:"
                " give --tls-certificate and --tls-key, or listen at 127.0.0.1 behind a proxy on this machine"
            )
        shelf = open_shelf(options.blobs)
        database = Database(options.database, most_connections=options.database_connections)
        await stack.enter_async_context(database)
        await migrate(database)
        await make_ahead(database, clock.now())
        room = Room(options.limits)
        parts = _parts(options, database, shelf, await _authority(options, database, clock), clock, room)
        await stack.enter_async_context(_housekeeping(database, shelf, clock))
        down = down_routes(parts.door, DownChannel(database))
        server = WebServer(
            build_app(parts, [down], DOWN_BODIES), listener, options.tls, most_connections=options.most_connections
        )
        stack.push_async_callback(server.stop)
        _watch(parts.metrics, room, server, database)
        if options.metrics is not None:
            page = WebServer(metrics_page(parts.metrics), listen_at(options.metrics), most_connections=20)
            stack.push_async_callback(page.stop)
        yield Collector(database, shelf, parts, listener.getsockname()[:2])


async def _authority(options: Options, database: Database, clock: Clock) -> Authority:
    if options.authority is not None:
        return await authority_in_folder(options.authority, clock)
    return await authority_in_database(database, clock)


def _parts(options: Options, database: Database, shelf: Shelf, authority: Authority, clock: Clock, room: Room) -> Parts:
    async def database_answers() -> None:
        await database.rows("SELECT 1 AS one")

    return Parts(
        door=Door(Gatekeeper(authority, Admissions(database), clock), room),
        registrar=Registrar(database, authority, clock, options.certificate_days),
        uploads=Uploads(shelf, DatabaseBook(database)),
        database=database,
        records=RecordStore(database, clock),
        latest_change=DownChannel(database).latest,
        metrics=Metrics(),
        checks=(database_answers, shelf.check),
    )


@asynccontextmanager
async def _housekeeping(database: Database, shelf: Shelf, clock: Clock) -> AsyncIterator[None]:
    recordings = RecordingShelf(shelf)
    duties: dict[str, tuple[float, Callable[[], Awaitable[object]]]] = {
        "months": (3600.0, lambda: make_ahead(database, clock.now())),
        "nonces": (60.0, lambda: prune_nonces(database, clock.now())),
        "doomed recordings": (60.0, lambda: sweep(database, recordings, clock.now())),
        "finished erasures": (600.0, lambda: forget_all_finished(database)),
        "abandoned uploads": (3600.0, lambda: sweep_uploads(database, shelf, clock.now())),
    }
    async with Periodic(duties):
        yield


def _watch(metrics: Metrics, room: Room, server: WebServer, database: Database) -> None:
    metrics.watch("requests_present", "Requests that are read, wait or work.", lambda: room.present)
    metrics.watch("requests_working", "Requests at work.", lambda: room.working)
    metrics.watch("connections", "Connections of clients.", lambda: server.connections)
    for name in ("pool_size", "pool_available", "requests_waiting"):
        metrics.watch(f"database_{name}", f"psycopg's {name}.", partial(_count, database, name))


def _count(database: Database, name: str) -> float:
    return database.counts().get(name, 0)


async def serve(options: Options, clock: Clock, stop: asyncio.Event, say: Callable[[str], None]) -> None:
    """Run a copy until `stop`; says `ready` when it answers. Raises: CollectorError, StorageError."""
    async with running(options, clock):
        say("ready")
        await stop.wait()
