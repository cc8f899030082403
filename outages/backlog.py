"""What an appliance gathered while the network was away: made in bulk, by the store's own functions."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from peewee import SqliteDatabase

from firmware.events import CallEnd, CallerId, RecordingEnd
from firmware.pcm import SampleFormat
from firmware.ports import CallbackRequest, Route, StoredTake, Take
from firmware.storage import call_rows, callback_rows, incident_rows, recording_rows
from firmware.storage.database import connect, writable
from firmware.storage.outbox import DiskOutbox
from firmware.storage.recording_file import RecordingName
from firmware.storage.recordings_folder import FOLDER
from firmware.storage.stamps import IdMaker, Stamp
from firmware.storage.store import Store
from firmware.storage.store_files import DATABASE_FILE
from firmware.uplink_contract.limits import KINDS
from firmware.wav import header

# As services/uplinks.py names the way of everything to a collector.
_ROUTE = "collector"
_AWAY = timedelta(weeks=3)
_IN_ONE_TRANSACTION = 2000
_CALLBACKS, _INCIDENTS = 0.2, 0.1
_SHORTEST_SECONDS, _LONGEST_SECONDS = 1, 40
_RATE = 8000


class PastClock:
    """`ports.Clock` of a time long gone, which goes on a bit at each look."""

    def __init__(self, step: timedelta) -> None:
        self._now = datetime.now(UTC) - _AWAY
        self._step = step

    def now(self) -> datetime:
        """A little later than the last time."""
        self._now += self._step
        return self._now

    def monotonic(self) -> float:
        """The same, as seconds."""
        return self._now.timestamp()

    def trusted(self) -> bool:
        """As on an appliance that had no network."""
        return False


@dataclass
class Backlog:
    """What there is, by the ids that the product gave."""

    calls: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    callbacks: list[str] = field(default_factory=list)
    incidents: list[str] = field(default_factory=list)
    audio: dict[str, str] = field(default_factory=dict)
    """SHA-256 of each recording's file."""
    audio_bytes: int = 0

    @property
    def records(self) -> int:
        """Of all kinds."""
        return len(self.every_id())

    @property
    def recordings(self) -> list[str]:
        """Their ids."""
        return list(self.audio)

    def every_id(self) -> list[str]:
        """Of all kinds."""
        return [*self.calls, *self.messages, *self.callbacks, *self.incidents, *self.audio]


def caller_of(number: int) -> str:
    """A Chinese mobile number; one for each call."""
    return f"138{number:08d}"


@dataclass
class _Maker:
    folder: Path
    ids: Callable[[], str]
    clock: PastClock
    choose: random.Random
    made: Backlog = field(default_factory=Backlog)

    def call(self, db: SqliteDatabase, number: int) -> str:
        call_id = self.ids()
        now = Stamp.now(self.clock)
        call_rows.insert_call(db, call_id, "front", CallerId(caller_of(number), "王"), now)
        self.made.calls.append(call_id)
        return call_id

    def end(self, db: SqliteDatabase, call_id: str) -> None:
        path = ["language", "main", "message"]
        call_rows.set_ended(db, call_id, CallEnd.COMPLETED, None, "zh", path, Stamp.now(self.clock))

    def message(self, db: SqliteDatabase, call_id: str, number: int) -> None:
        stored = self._record(call_id)
        now = Stamp.now(self.clock)
        call_rows.set_answered(db, call_id, CallerId(caller_of(number), "王"), now)
        kept = recording_rows.keep_message(db, self.ids(), call_id, stored, "zh", now, now)
        self.made.messages.append(kept.message_id)

    def callback(self, db: SqliteDatabase, call_id: str, number: int) -> None:
        now = Stamp.now(self.clock)
        request = CallbackRequest(caller_of(number), "morning")
        kept = callback_rows.keep_callback(db, self.ids(), call_id, request, "zh", now, now)
        self.made.callbacks.append(kept.callback_id)

    def incident(self, db: SqliteDatabase, number: int) -> None:
        incident_id = self.ids()
        place = f"line{number}"
        now = Stamp.now(self.clock)
        incident_rows.open_incident(db, incident_id, "modem", place, "the modem went away", now)
        incident_rows.close_incident(db, "modem", place, now)
        self.made.incidents.append(incident_id)

    def _record(self, call_id: str) -> StoredTake:
        name = RecordingName(self.ids(), call_id, "message", SampleFormat.ULAW)
        samples = _RATE * self.choose.randint(_SHORTEST_SECONDS, _LONGEST_SECONDS) + self.choose.randint(0, 99)
        data = header(SampleFormat.ULAW, samples) + hashlib.shake_128(name.recording_id.encode()).digest(samples)
        (self.folder / name.final).write_bytes(data)
        self.made.audio[name.recording_id] = hashlib.sha256(data).hexdigest()
        self.made.audio_bytes += len(data)
        return StoredTake(name.final, SampleFormat.ULAW, Take(RecordingEnd.KEY, samples, samples, voiced=True))


async def make_backlog(data_dir: Path, clock: PastClock, records: int, recordings: int, seed: int) -> Backlog:
    """Fill a new data folder. A recording comes with a message and a call; the rest is mixed. Blocking after `open`."""
    store = Store(data_dir, clock, keep_free_megabytes=0)
    await store.open()
    await store.close()
    await _subscribe(data_dir, clock)
    choose = random.Random(seed)
    maker = _Maker(data_dir / FOLDER, IdMaker(clock), clock, choose)
    works = _works(records, recordings, choose)
    db = writable(data_dir / DATABASE_FILE)
    try:
        connect(db)
        for first in range(0, len(works), _IN_ONE_TRANSACTION):
            with db.atomic():
                for number, work in enumerate(works[first : first + _IN_ONE_TRANSACTION], first):
                    _do(maker, db, number, work)
    finally:
        db.close()
    return maker.made


async def _subscribe(data_dir: Path, clock: PastClock) -> None:
    """The network was there once: what is written from now on is queued with it."""
    outbox = DiskOutbox(data_dir, clock)
    try:
        await outbox.use_routes([Route(_ROUTE, frozenset(KINDS))])
    finally:
        outbox.close()


def _works(records: int, recordings: int, choose: random.Random) -> list[str]:
    left = records - 3 * recordings
    incidents, callbacks = int(left * _INCIDENTS), int(left * _CALLBACKS)
    plain = left - incidents - 2 * callbacks
    works = ["message"] * recordings + ["incident"] * incidents + ["callback"] * callbacks + ["call"] * plain
    choose.shuffle(works)
    return works


def _do(maker: _Maker, db: SqliteDatabase, number: int, work: str) -> None:
    if work == "incident":
        maker.incident(db, number)
        return
    call_id = maker.call(db, number)
    if work == "message":
        maker.message(db, call_id, number)
    elif work == "callback":
        maker.callback(db, call_id, number)
    maker.end(db, call_id)
