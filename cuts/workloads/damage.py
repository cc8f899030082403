"""A start that finds the database damaged: a cut while it is replaced loses neither the backup's records nor words."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from cuts.judging import DATA, new_store, next_start, unsound, violations_of
from cuts.talk import SECOND_BYTES, record, speech
from cuts.workload import Telling, Told, Workload
from firmware.events import CallEnd, CallerId
from firmware.storage.queries import Records
from firmware.storage.store import Store
from firmware.storage.store_files import DATABASE_FILE

_SIZE = SECOND_BYTES


async def _prepare(folder: Path) -> None:
    store = new_store(folder)
    await store.open()
    await _message(store, "in the backup")
    await store.keep_snapshot("20260101-080000")
    await _message(store, "later")
    await store.close()
    file = folder / DATA / DATABASE_FILE
    file.write_bytes(b"\xa5nonsense" * (file.stat().st_size // 9))


async def _message(store: Store, seed: str) -> None:
    call = await store.call_offered("front", CallerId("13800138000"))
    kept = await store.keep_message(call, await record(store, call, speech(seed, _SIZE)), "zh")
    await store.mark_urgent(kept.message_id)
    await store.call_ended(call, CallEnd.COMPLETED, None, "zh", ["message"])


async def _work(folder: Path, tell: Telling) -> None:
    store = new_store(folder)
    await store.open()
    tell("opened")
    await store.close()


async def _judge(folder: Path, told: Told) -> list[str]:
    replaced = list((folder / DATA).glob(f"{DATABASE_FILE}.corrupt-*"))
    found = ["it was opened and is not replaced"] if told.once("opened") and not replaced else []
    async with next_start(folder) as (_, summary):
        found += violations_of(summary)
    with Records(folder / DATA, ZoneInfo("UTC")) as records:
        messages, incidents = records.messages(), records.incidents()
    if [message["urgent"] for message in messages] != [True, False]:
        found.append(f"there are {len(messages)} messages, and not the backup's and the adopted one")
    if messages and [messages[0]["number"], messages[-1]["number"] > 1000] != [1, True]:
        found.append("the numbers are wrong")
    if not any(incident["kind"] == "database" for incident in incidents):
        found.append("no incident tells of it")
    aside = [
        file for file in (folder / DATA).glob(f"{DATABASE_FILE}.corrupt-*") if file.suffix[-4:] not in ("-wal", "-shm")
    ]
    found += [] if len(aside) == 1 else [f"the damaged database is there {len(aside)} times"]
    return [*found, *unsound(folder)]


WORKLOAD = Workload("damage", _prepare, _work, _judge)
