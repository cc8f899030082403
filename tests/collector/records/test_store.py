"""Taking records: once, in one transaction, whatever comes twice, late or broken."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest

from collector.database import Database, Row, Transaction
from collector.errors import NotFound
from collector.records import blob_rows
from collector.records.incoming import IncomingRecord, Refused, record_of
from collector.records.judging import RecordAnswer
from collector.records.progress import gaps, progress
from collector.records.store import RecordStore
from tests.collector.records.wire import FixedClock, incoming, record_id, report, wire

SHA = "ab" * 32


@pytest.fixture
def store(database: Database) -> RecordStore:
    return RecordStore(database, FixedClock())


async def put(store: RecordStore, device: UUID, *records: IncomingRecord | Refused) -> list[str]:
    return outcomes(await store.store(device, records, report(records)))


def outcomes(answers: Sequence[RecordAnswer]) -> list[str]:
    return [answer.outcome.value for answer in answers]


async def all_rows(database: Database) -> list[Row]:
    return await database.rows("SELECT * FROM record ORDER BY record_id")


async def test_a_record_is_stored_once(database: Database, store: RecordStore, device: UUID) -> None:
    call = incoming(1, body={"line": "front", "caller_number": "138 0013 8000", "started_at": "2026-11-27T10:00:00Z"})
    assert await put(store, device, call) == ["stored"]
    assert await put(store, device, call) == ["duplicate"]
    (row,) = await all_rows(database)
    assert row["number"] == "+8613800138000"
    assert row["at"].isoformat() == "2026-11-27T10:00:00+00:00"
    assert row["body"] == call.body


async def test_the_last_version_counts_in_any_order(database: Database, store: RecordStore, device: UUID) -> None:
    name = record_id()
    first, second, third = (incoming(seq, id=name, body={"state": seq}) for seq in (1, 2, 3))
    assert await put(store, device, second, third, first) == ["stored", "stored", "duplicate"]
    (row,) = await all_rows(database)
    assert (row["version"], row["body"]) == (3, {"state": 3})
    assert await put(store, device, second) == ["duplicate"]


async def test_another_body_under_one_version_is_kept_for_a_person(
    database: Database, store: RecordStore, device: UUID
) -> None:
    name = record_id()
    assert await put(store, device, incoming(1, id=name, body={"a": 1})) == ["stored"]
    assert await put(store, device, incoming(1, id=name, body={"a": 2})) == ["conflict"]
    assert await put(store, device, incoming(1, id=name, body={"a": 2})) == ["conflict"]
    (kept,) = await database.rows("SELECT body FROM record_conflict")
    assert kept["body"] == {"a": 2}
    assert (await all_rows(database))[0]["body"] == {"a": 1}


async def test_audio_comes_first(database: Database, store: RecordStore, device: UUID) -> None:
    message = incoming(1, kind="message", blob={"sha256": SHA, "bytes": 4})
    assert await put(store, device, message) == ["need_blob"]
    assert await all_rows(database) == []
    await blob_rows.note(database, device, SHA, 4)
    assert await put(store, device, message) == ["stored"]


async def test_audio_of_another_appliance_is_not_there(database: Database, store: RecordStore, device: UUID) -> None:
    other = uuid4()
    await database.rows(
        "INSERT INTO device (id, company, name) SELECT %s, company, 'other' FROM device RETURNING id", [other]
    )
    await blob_rows.note(database, other, SHA, 4)
    assert await put(store, device, incoming(1, blob={"sha256": SHA, "bytes": 4})) == ["need_blob"]


async def test_an_erased_record_never_comes_back(database: Database, store: RecordStore, device: UUID) -> None:
    name = record_id()
    await blob_rows.note(database, device, SHA, 4)
    message = incoming(
        1, id=name, kind="message", blob={"sha256": SHA, "bytes": 4}, body={"caller_number": "13800138000"}
    )
    assert await put(store, device, message) == ["stored"]
    assert await put(store, device, incoming(1, id=name, kind="message", body={"x": "secret"})) == ["conflict"]
    assert await put(store, device, incoming(2, id=name, kind="message", erased=True)) == ["stored"]
    assert await put(store, device, message) == ["duplicate"]
    assert await put(store, device, incoming(9, id=name, kind="message", body={"late": 1})) == ["duplicate"]
    (row,) = await all_rows(database)
    left = {name for name, value in row.items() if value is not None}
    assert left == {"record_id", "device", "kind", "version", "seq", "at", "clock_trusted", "stored_at", "erased_at"}
    assert await database.rows("SELECT FROM record_conflict") == []
    assert [bytes(one["sha256"]).hex() for one in await database.rows("SELECT * FROM doomed_blob")] == [SHA]


async def test_audio_that_another_record_needs_stays(database: Database, store: RecordStore, device: UUID) -> None:
    await blob_rows.note(database, device, SHA, 4)
    first, second = (incoming(seq, blob={"sha256": SHA, "bytes": 4}) for seq in (1, 2))
    assert await put(store, device, first, second) == ["stored", "stored"]
    assert await put(store, device, incoming(3, id=str(first.record_id), erased=True)) == ["stored"]
    assert await blob_rows.exists(database, device, [SHA]) == {SHA}
    assert await put(store, device, incoming(4, id=str(second.record_id), erased=True)) == ["stored"]
    assert await blob_rows.exists(database, device, [SHA]) == set()


async def test_what_can_never_be_stored_is_refused_alone(database: Database, store: RecordStore, device: UUID) -> None:
    bad = record_of(wire(2, body={"name": "a\0b"}))
    assert isinstance(bad, Refused)
    assert await put(store, device, incoming(1), bad, incoming(3)) == ["stored", "rejected", "stored"]
    assert len(await all_rows(database)) == 2


async def test_an_unknown_appliance_stores_nothing(database: Database, store: RecordStore) -> None:
    with pytest.raises(NotFound):
        await put(store, uuid4(), incoming(1))


async def test_two_copies_given_one_batch_store_it_once(database: Database, store: RecordStore, device: UUID) -> None:
    batch = [incoming(seq) for seq in range(1, 101)]
    orders = [batch, batch[::-1], batch[50:] + batch[:50], batch]
    answers = await asyncio.gather(*(store.store(device, order, report(batch)) for order in orders))
    counted = [outcome for one in answers for outcome in outcomes(one)]
    assert (counted.count("stored"), counted.count("duplicate")) == (100, 300)
    assert len(await all_rows(database)) == 100


async def test_order_and_gaps_are_visible(database: Database, store: RecordStore, device: UUID) -> None:
    records = [incoming(seq) for seq in (1, 2, 5, 9)]
    await store.store(device, records, report(records, oldest_seq=8, next_seq=10, queued=1))
    assert (await gaps(database, device)).ranges == ((3, 4), (6, 7))
    late = [incoming(seq) for seq in (3, 4, 6, 7, 8)]
    await store.store(device, late, report(late, oldest_seq=None, next_seq=10, queued=0))
    assert (await gaps(database, device)).ranges == ()
    (row,) = await database.rows("SELECT seen FROM device_progress")
    assert row["seen"] == [1, 10]
    where = await progress(database, device)
    assert (where.company, where.highest_seq, where.highest_version, where.queued) == ("Acme", 9, 9, 0)


class Refusing:
    """A taker that fails at its second batch."""

    def __init__(self) -> None:
        self.taken: list[int] = []

    async def take(self, work: Transaction, device: UUID, records: Sequence[IncomingRecord]) -> None:
        if self.taken:
            raise NotFound("no")
        self.taken += [record.seq for record in records]


async def test_a_taker_acts_in_the_same_transaction(database: Database, device: UUID) -> None:
    taker = Refusing()
    store = RecordStore(database, FixedClock(), {"shared": taker})
    assert await put(store, device, incoming(1), incoming(2, kind="shared")) == ["stored", "stored"]
    assert taker.taken == [2]
    with pytest.raises(NotFound):
        await put(store, device, incoming(3), incoming(4, kind="shared"))
    assert len(await all_rows(database)) == 2


@pytest.mark.parametrize(
    "body",
    [
        {"caller_number": 5, "call_id": "no", "urgent": "yes", "started_at": "soon"},
        {"caller_number": "☎" * 5000, "phone": ["1"], "at": "9999-12-31T23:59:59-12:00"},
        {"number": 10**299, "small": 5e-324, "big": 1.5, "text": "\\u0000 \x01 \u2028 😀"},
    ],
)
async def test_any_body_that_is_json_can_be_stored(
    database: Database, store: RecordStore, device: UUID, body: dict[str, Any]
) -> None:
    assert await put(store, device, incoming(1, body=body)) == ["stored"]
    assert (await all_rows(database))[0]["body"] == body
