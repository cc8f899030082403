"""Delivering while calls write: what is not settled waits, what is settled does not come back, what is gone is told."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from cuts.judging import DATA, next_start, unsound, violations_of
from cuts.talk import SECOND_BYTES, record, speech
from cuts.workload import Telling, Told, Workload
from firmware.clock import SystemClock
from firmware.events import CallEnd, CallerId
from firmware.ports import Answer, CallbackRequest, Entry, Outcome, Route
from firmware.storage.erasure import erase_caller
from firmware.storage.outbox import DiskOutbox
from firmware.storage.store import Store
from firmware.storage.store_files import DATABASE_FILE

_ROUTE = "collector"
_KINDS = ("call", "message", "callback", "recording")
_SIZE = SECOND_BYTES
_GONE = "13800138000"
_KNOWN_FILE = "known.json"


async def _prepare(folder: Path) -> None:
    async with next_start(folder) as (store, _):
        await _leave_message(store, "earlier")
        outbox = _outbox(folder)
        await outbox.use_routes([Route(_ROUTE, frozenset({*_KINDS, "incident"}))])
        outbox.close()


async def _work(folder: Path, tell: Telling) -> None:
    async with next_start(folder) as (store, _):
        outbox = _outbox(folder)
        for seed in ("first", "second"):
            call, message = await _changed_under_way(store, outbox, seed, tell)
            kept = await store.replace_message(message, await record(store, call, speech(f"{seed} again", _SIZE)))
            tell("changed", id=kept.message_id)
            await _end(store, call)
            tell("changed", id=call)
            await _settle(outbox, (await _take(outbox, tell))[:3], tell)
        await _changed_under_way(store, outbox, "third", tell)
        await store.release_audio(None, 10)
        outbox.close()


async def _changed_under_way(store: Store, outbox: DiskOutbox, seed: str, tell: Telling) -> tuple[str, str]:
    call, message = await _leave_message(store, seed)
    tell("changed", id=message)
    entries = await _take(outbox, tell)
    await store.mark_urgent(message)
    tell("changed", id=message)
    await _settle(outbox, entries, tell)
    return call, message


async def _take(outbox: DiskOutbox, tell: Telling) -> Sequence[Entry]:
    entries = await outbox.take(_ROUTE, 200)
    tell("taken", ids=[entry.record_id for entry in entries])
    return entries


async def _settle(outbox: DiskOutbox, entries: Sequence[Entry], tell: Telling) -> None:
    await outbox.settle(_ROUTE, [Answer(entry.seq, entry.version, Outcome.STORED) for entry in entries])
    tell("settled", items=[(entry.record_id, entry.version) for entry in entries])


async def _judge(folder: Path, told: Told) -> list[str]:
    async with next_start(folder) as (_, summary):
        found = [*violations_of(summary)]
    waiting, there = _waiting(folder), _records(folder)
    settled: dict[str, int] = {}
    for fact in told.all("settled"):
        for record_id, version in fact["items"]:
            settled[record_id] = max(version, settled.get(record_id, 0))
    for record_id, version in waiting.items():
        if version <= settled.get(record_id, 0):
            found.append(f"{record_id} was settled and came back")
    # Recovery may change what a cut left half done, and queues that: more waits then, never less.
    found += [f"a change of {lost} is forgotten" for lost in _unsettled(told) - waiting.keys()]
    # Of what is not there, only a recording that another one replaced has a reason to wait.
    made = {record_id for fact in told.all("taken") for record_id in fact["ids"]}
    found += [f"an entry without cause: {record_id}" for record_id in waiting.keys() - there - made]
    return [*found, *unsound(folder)]


def _unsettled(told: Told) -> set[str]:
    """Records that changed after they were taken the last time."""
    left: set[str] = set()
    for fact in told.in_order():
        if fact["what"] == "changed":
            left.add(fact["id"])
        elif fact["what"] == "taken":
            left -= set(fact["ids"])
    return left


async def _prepare_erasure(folder: Path) -> None:
    async with next_start(folder) as (store, _):
        outbox = _outbox(folder)
        await outbox.use_routes([Route(_ROUTE, frozenset(_KINDS))])
        for delivered in (True, False):
            call, _ = await _leave_message(store, f"said {delivered}", _GONE)
            reason = await record(store, call, speech(f"reason {delivered}", _SIZE), purpose="callback_reason")
            await store.keep_callback(call, CallbackRequest(_GONE, "morning", reason), "zh")
            await _end(store, call)
            if delivered:
                entries = await outbox.take(_ROUTE, 200)
                await outbox.settle(_ROUTE, [Answer(entry.seq, entry.version, Outcome.STORED) for entry in entries])
        outbox.close()
    (folder / _KNOWN_FILE).write_text(json.dumps(sorted(_records(folder))), encoding="utf-8")


async def _work_erasure(folder: Path, tell: Telling) -> None:
    erase_caller(folder / DATA, _GONE, SystemClock(), "CN")
    tell("erased")


async def _judge_erasure(folder: Path, told: Told) -> list[str]:
    async with next_start(folder) as (_, summary):
        found = [*violations_of(summary)]
    known = set(json.loads((folder / _KNOWN_FILE).read_text(encoding="utf-8")))
    gone = known - _records(folder)
    if told.once("erased") and len(gone) != 7:  # two messages, four recordings, and the one request of both
        found.append(f"{len(gone)} records are gone")
    found += [f"nobody is told that {record_id} was erased" for record_id in gone - _waiting(folder).keys()]
    return [*found, *unsound(folder)]


async def _leave_message(store: Store, seed: str, number: str = "02187654321") -> tuple[str, str]:
    call = await store.call_offered("front", CallerId(number))
    kept = await store.keep_message(call, await record(store, call, speech(seed, _SIZE)), "zh")
    return call, kept.message_id


async def _end(store: Store, call: str) -> None:
    await store.call_ended(call, CallEnd.COMPLETED, None, "zh", ["message"])


def _outbox(folder: Path) -> DiskOutbox:
    return DiskOutbox(folder / DATA, SystemClock())


def _database(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / DATA / DATABASE_FILE)


def _waiting(folder: Path) -> dict[str, int]:
    with closing(_database(folder)) as db:
        return dict(db.execute("SELECT record_id, version FROM outbox WHERE kind <> 'incident'").fetchall())


def _records(folder: Path) -> set[str]:
    with closing(_database(folder)) as db:
        return {one for table in _KINDS for (one,) in db.execute(f"SELECT id FROM {table}")}


WORKLOAD = Workload("delivery", _prepare, _work, _judge)
ERASURE = Workload("erasure_delivered", _prepare_erasure, _work_erasure, _judge_erasure)
