"""Erasing one caller: told as done, it is gone for good; cut before that, the next try finishes it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from cuts.judging import DATA, next_start, unsound, violations_of
from cuts.talk import SECOND_BYTES, grow, holds, number_of_the_next, record, speech
from cuts.workload import Telling, Told, Workload
from firmware.clock import SystemClock
from firmware.events import CallEnd, CallerId
from firmware.ports import CallbackRequest
from firmware.storage.backup import make_backup
from firmware.storage.erasure import erase_caller
from firmware.storage.queries import Records
from firmware.storage.restore import restore_backup
from firmware.storage.stamps import Stamp
from firmware.storage.store import Store

_GONE, _STAYS = "13800138000", "02187654321"
_SIZE = SECOND_BYTES
_BACKUP = "earlier.backup"


class _Later(SystemClock):
    """When every call has settled."""

    def now(self) -> datetime:
        """An hour from now."""
        return super().now() + timedelta(hours=1)


async def _prepare(folder: Path) -> None:
    async with next_start(folder) as (store, _):
        for number in (_GONE, _STAYS, _GONE):
            await _leave_everything(store, number)
        call = await store.call_offered("front", CallerId(_GONE))
        await grow(store, call, speech(_GONE, _SIZE))  # the service dies in this one


async def _leave_everything(store: Store, number: str) -> None:
    call = await store.call_offered("front", CallerId(number))
    await store.keep_message(call, await record(store, call, speech(number, _SIZE)), "zh")
    reason = await record(store, call, speech(number[::-1], _SIZE), purpose="callback_reason")
    await store.keep_callback(call, CallbackRequest(number, "morning", reason), "zh")
    await store.remember_language(number, "en")
    await store.call_ended(call, CallEnd.COMPLETED, None, "zh", ["message"])


async def _work(folder: Path, tell: Telling) -> None:
    erase_caller(folder / DATA, _GONE, SystemClock(), "CN")
    tell("erased")


async def _judge(folder: Path, told: Told) -> list[str]:
    found = _remains(folder) if told.once("erased") else []
    async with next_start(folder) as (_, summary):
        found += violations_of(summary)
    found += _remains(folder) if told.once("erased") else []
    found += unsound(folder)
    erase_caller(folder / DATA, _GONE, SystemClock(), "CN")
    found += _remains(folder)
    async with next_start(folder) as (store, _):
        if await number_of_the_next(store) <= 3:
            found.append("a number came twice")
    with Records(folder / DATA, ZoneInfo("UTC")) as records:
        messages, callbacks = records.messages(), records.callbacks()
    if [message["number"] for message in messages][:-1] != [2] or [row["phone"] for row in callbacks] != [_STAYS]:
        found.append("somebody else's records are gone")
    return [*found, *unsound(folder)]


def _remains(folder: Path) -> list[str]:
    """Files in which something of the erased caller is found."""
    words = (_GONE.encode(), speech(_GONE, _SIZE)[:400], speech(_GONE[::-1], _SIZE)[:400])
    return [f"what was erased is in {file}" for word in words for file in holds(folder, word)]


async def _prepare_restore(folder: Path) -> None:
    async with next_start(folder) as (store, _):
        for number in (_GONE, _STAYS):
            await _leave_everything(store, number)
    make_backup(folder / DATA, folder / _BACKUP, Stamp.now(SystemClock()))
    erase_caller(folder / DATA, _GONE, _Later(), "CN")


async def _work_restore(folder: Path, tell: Telling) -> None:
    restore_backup(folder / _BACKUP, folder / DATA, Stamp.now(SystemClock()))
    tell("restored")


async def _judge_restore(folder: Path, told: Told) -> list[str]:
    async with next_start(folder) as (_, summary):
        found = [*violations_of(summary)]
    if told.once("restored") and not list((folder / DATA).glob("before-restore-*")):
        found.append("it was acknowledged and did not happen")
    with Records(folder / DATA, ZoneInfo("UTC")) as records:
        callers = [message["caller_number"] for message in records.messages()]
    (folder / _BACKUP).unlink()
    return [*found, *_remains(folder), *([] if callers == [_STAYS] else ["somebody else's records are gone"])]


AFTER_ERASURE = Workload("restore_after_erasure", _prepare_restore, _work_restore, _judge_restore)
WORKLOAD = Workload("erasure", _prepare, _work, _judge)
