"""`ports.Outbox` on the appliance's own disk, for the sync service: it works beside `calls`, and without it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from peewee import SqliteDatabase

from firmware.errors import DatabaseReplaced
from firmware.ports import ABSENT_AUDIO, Answer, Clock, Entry, Outcome, QueueState, Route
from firmware.storage import health_rows, outbox_rows
from firmware.storage.brief_database import BriefDatabase
from firmware.storage.database import raw
from firmware.storage.erasure_record import erased_ids
from firmware.storage.outbox_audio import Ready, read_audio
from firmware.storage.outbox_fit import ENVELOPE_BYTES, fitted
from firmware.storage.outbox_routes import forget_some, queue_history, set_routes
from firmware.storage.outbox_rows import Quarantined, Waiting
from firmware.storage.recordings_folder import FOLDER
from firmware.storage.stamps import IdMaker, Stamp, utc_text
from firmware.storage.threads import in_thread
from firmware.uplink_contract.limits import MOST_BATCH_BYTES, MOST_RECORDS

P = ParamSpec("P")
T = TypeVar("T")

_HEALTH_DAYS = 90
_REFUSALS = 5
# What a batch has around its records: counts and times.
_AROUND_BYTES = 2048
_MOST_LISTED = 1000
_NONSENSE = "its row in the database makes no sense; look at the disk, and restore a backup"
# SQLite lets who waits for a lock sleep up to 25 ms at first: a call that writes gets it between two steps.
_PAUSE_SECONDS = 0.03


class DiskOutbox:
    """A `ports.Outbox`. Needs no opening; `close` it last. `refusals` set an entry aside.

    Where another database was put in place, the routes are set there again by the next method that is called.
    """

    def __init__(self, data_dir: Path, clock: Clock, *, refusals: int = _REFUSALS) -> None:
        self._brief = BriefDatabase(data_dir, "outbox")
        self._folder = data_dir / FOLDER
        self._clock = clock
        self._refusals = refusals
        self._make_id = IdMaker(clock)
        self._routes: Sequence[Route] | None = None
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="outbox-audio")

    async def use_routes(self, routes: Sequence[Route]) -> None:
        """See `ports.Outbox`. What is older than a new route is queued in steps, between which others may write."""
        self._routes = tuple(routes)
        more = await self._write(forget_some, self._routes)
        while more:
            await asyncio.sleep(_PAUSE_SECONDS)
            more = await self._write(forget_some, self._routes)
        await self._write(set_routes, self._routes, await self._erased())
        await self._queue_history()

    async def take(self, route: str, limit: int, *, with_audio: bool = True) -> Sequence[Entry]:
        """See `ports.Outbox`. Fewer than `limit` where they would not fit into one request. Raises: StorageError."""
        waiting, kind = await self._read(_take, route, min(limit, MOST_RECORDS), with_audio)
        ready = await in_thread(self._reader, read_audio, self._folder, waiting, kind)
        if new := list(_new_hashes(ready)):
            await self._write(outbox_rows.keep_hashes, route, new)
        entries, faults = _batch(ready)
        # Nobody is asked to take what makes no sense here: it is set aside like what a far end refuses.
        await self.settle(route, faults)
        return entries

    async def settle(self, route: str, answers: Sequence[Answer]) -> None:
        """See `ports.Outbox`. Raises: StorageError; then the entries are delivered once more."""
        if answers:
            await self._write(outbox_rows.settle, route, answers, self._refusals, utc_text(self._clock.now()))

    async def failed(self, route: str, sentence: str) -> None:
        """See `ports.Outbox`. Raises: StorageError."""
        await self._write(outbox_rows.failed, route, sentence)

    async def state(self, route: str) -> QueueState:
        """See `ports.Outbox`. Raises: StorageError."""
        return await self._read(outbox_rows.state, route)

    async def count_from(self, seq: int, version: int) -> None:
        """See `ports.Outbox`. What waits gets new numbers, in its order. Raises: StorageError."""
        await self._write(outbox_rows.count_from, seq, version)

    async def quarantined(self) -> Sequence[Quarantined]:
        """What was set aside, the oldest first; at most a thousand. Raises: StorageError."""
        return await self._read(outbox_rows.quarantined, _MOST_LISTED)

    async def retry(self, record_id: str | None = None) -> int:
        """What was set aside waits again, one record or all; returns how many. Raises: RecordNotFound, StorageError."""
        return await self._write(outbox_rows.retry, record_id)

    async def keep_health(self, body: Mapping[str, Any]) -> str:
        """How the appliance is, as a record; returns its id. Those of a quarter ago go, once they were delivered.

        Raises: StorageError; ValueError for what is no JSON.
        """
        now = Stamp.now(self._clock)
        until = utc_text(self._clock.now() - timedelta(days=_HEALTH_DAYS))
        health_id = self._make_id()
        await self._write(health_rows.keep_health, health_id, body, now, until)
        return health_id

    def close(self) -> None:
        """Idempotent."""
        self._brief.close()
        self._reader.shutdown(wait=False)

    async def _write(
        self, work: Callable[Concatenate[SqliteDatabase, P], T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        try:
            return await self._brief.write(work, *args, **kwargs)
        except DatabaseReplaced:
            await self._start_again()
            return await self._brief.write(work, *args, **kwargs)

    async def _read(self, work: Callable[Concatenate[SqliteDatabase, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await self._brief.read(work, *args, **kwargs)
        except DatabaseReplaced:
            await self._start_again()
            return await self._brief.read(work, *args, **kwargs)

    async def _start_again(self) -> None:
        """Another database is in place: an older one, which may not know our routes."""
        if self._routes is None:
            return
        await self._brief.write(set_routes, self._routes, await self._erased())
        await self._queue_history()

    async def _erased(self) -> Sequence[tuple[str, str]]:
        return await in_thread(self._reader, erased_ids, self._folder.parent)

    async def _queue_history(self) -> None:
        more = await self._brief.write(queue_history)
        while more:
            await asyncio.sleep(_PAUSE_SECONDS)
            more = await self._brief.write(queue_history)


def _take(db: SqliteDatabase, route: str, limit: int, audio: bool) -> tuple[list[Waiting], str]:
    return outbox_rows.take(db, route, limit, with_audio=audio), outbox_rows.audio_kind(raw(db), route)


def _new_hashes(ready: Sequence[Ready]) -> Iterator[tuple[str | None, int | None, int]]:
    for one in ready:
        if one.blob and one.is_new:
            yield one.blob.sha256, one.blob.byte_count, one.waiting.seq
        elif one.absence and one.waiting.blob_sha256:
            yield None, None, one.waiting.seq


def _batch(ready: Sequence[Ready]) -> tuple[list[Entry], list[Answer]]:
    """The first ones that fit into one request, at least one; and the word on those that cannot be delivered."""
    entries: list[Entry] = []
    faults: list[Answer] = []
    room = MOST_BATCH_BYTES - _AROUND_BYTES
    for one in ready:
        if fault := one.fault or ("" if one.waiting.is_readable else _NONSENSE):
            faults.append(Answer(one.waiting.seq, one.waiting.version, Outcome.REJECTED, fault))
            continue
        try:
            entry, size = _entry(one)
        except (ValueError, TypeError):
            faults.append(Answer(one.waiting.seq, one.waiting.version, Outcome.REJECTED, _NONSENSE))
            continue
        room -= size + ENVELOPE_BYTES
        if room < 0 and entries:
            break
        entries.append(entry)
    return entries, faults


def _entry(ready: Ready) -> tuple[Entry, int]:
    waiting, found = ready.waiting, ready.waiting.found
    body, size = None, 0
    if found is not None:
        missing = {ABSENT_AUDIO: ready.absence} if ready.absence else {}
        body, size = fitted({**found.body, **missing})
    return (
        Entry(
            seq=waiting.seq,
            kind=waiting.kind,
            record_id=waiting.record_id,
            version=waiting.version,
            queued_at=waiting.queued_at,
            clock_trusted=found is not None and found.clock_trusted,
            attempts=waiting.attempts,
            body=body,
            blob=ready.blob,
            erased_audio=_erased_audio(waiting),
        ),
        size,
    )


def _erased_audio(waiting: Waiting) -> tuple[str, int] | None:
    """Its hash was noted before it could be sent, and may be all that is left of an upload that a cut ended."""
    if waiting.found is not None or waiting.blob_sha256 is None or waiting.blob_bytes is None:
        return None
    return waiting.blob_sha256, waiting.blob_bytes
