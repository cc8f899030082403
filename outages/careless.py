"""The same programs, careless on purpose, to prove that the laboratory sees what it is there to see.

`python -m outages.careless WAY [arguments of the program]`
"""

from __future__ import annotations

import asyncio
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from collector import cli as collector_cli
from collector.records import judging, store
from collector.records.incoming import IncomingRecord, QueueReport, Refused
from collector.records.judging import Kept, Outcome, RecordAnswer
from firmware import cli as appliance_cli
from firmware.errors import LinekeeperError
from firmware.ports import Answer, Entry
from firmware.ports import Outcome as Told
from firmware.sync.collector_uplink import CollectorUplink
from outages.centre import COLLECTOR
from outages.site import LINEKEEPER

_LATER_SECONDS = 3.0
_TIME_BITS = 80
Records = Sequence[IncomingRecord | Refused]


def programs(way: str | None) -> tuple[Sequence[str], Sequence[str]]:
    """The sender and the collector to run."""
    careless = (sys.executable, "-m", "outages.careless", str(way))
    sender = careless if way in SENDERS else (str(LINEKEEPER),)
    return sender, careless if way in COLLECTORS else (str(COLLECTOR),)


def _forgets_early() -> None:
    """It takes what it has sent for delivered, whatever becomes of it."""
    careful = CollectorUplink.deliver

    async def deliver(self: CollectorUplink, entries: Sequence[Entry]) -> Sequence[Answer]:
        try:
            return await careful(self, entries)
        except LinekeeperError:
            return [Answer(entry.seq, entry.version, Told.STORED) for entry in entries]

    _replace(CollectorUplink, "deliver", deliver)


def _answers_early() -> None:
    """It says that it has the records, and stores them a moment later."""
    careful = store.RecordStore.store
    under_way = set()

    async def later(self: store.RecordStore, device: UUID, records: Records, queue: QueueReport) -> None:
        await asyncio.sleep(_LATER_SECONDS)
        await careful(self, device, records, queue)

    async def answer(self: store.RecordStore, device: UUID, records: Records, queue: QueueReport) -> list[RecordAnswer]:
        task = asyncio.create_task(later(self, device, records, queue))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        return [RecordAnswer(record.seq, record.version, Outcome.STORED) for record in records]

    _replace(store.RecordStore, "store", answer)


def _takes_twice() -> None:
    """It gives each record that comes an id of its own, so that it never meets one again."""
    careful = store.RecordStore.store

    def own_id(record: IncomingRecord | Refused) -> IncomingRecord | Refused:
        if isinstance(record, Refused):
            return record
        time = record.record_id.int >> _TIME_BITS << _TIME_BITS
        return replace(record, record_id=UUID(int=time | uuid.uuid4().int & (1 << _TIME_BITS) - 1))

    async def take(self: store.RecordStore, device: UUID, records: Records, queue: QueueReport) -> list[RecordAnswer]:
        return await careful(self, device, [own_id(record) for record in records], queue)

    _replace(store.RecordStore, "store", take)


def _keeps_the_first() -> None:
    """It takes every record that it has for done, whatever its version."""
    careful = judging.judge

    def judge(kept: Kept | None, record: IncomingRecord, blob_there: bool) -> tuple[Outcome, str]:
        return careful(None, record, blob_there) if kept is None else (Outcome.DUPLICATE, "")

    _replace(store, "judge", judge)


def _replace(where: Any, name: str, other: Any) -> None:
    setattr(where, name, other)


SENDERS: Mapping[str, Callable[[], None]] = {"sender_forgets_early": _forgets_early}
COLLECTORS: Mapping[str, Callable[[], None]] = {
    "collector_answers_early": _answers_early,
    "collector_takes_twice": _takes_twice,
    "collector_keeps_the_first": _keeps_the_first,
}
WAYS = (*SENDERS, *COLLECTORS)


if __name__ == "__main__":
    chosen = sys.argv.pop(1)
    {**SENDERS, **COLLECTORS}[chosen]()
    (appliance_cli if chosen in SENDERS else collector_cli).main()
