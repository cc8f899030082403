"""Everything of one caller, and nothing of another."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from collector.database import Database
from collector.errors import NotFound
from collector.records import blob_rows
from collector.records.devices import add_device, company_named
from collector.records.erasing import Receipt, erase_caller
from collector.records.listing import list_records
from collector.records.store import RecordStore
from tests.collector.databases import NOW
from tests.collector.records.wire import FixedClock, incoming, record_id, report

SHA, OTHER = "ab" * 32, "cd" * 32
SPELLINGS = ("13800138000", "+86 138 0013 8000", "0086-138-0013-8000")


@pytest.fixture
def store(database: Database) -> RecordStore:
    return RecordStore(database, FixedClock())


async def erase(database: Database, number: str, company: str = "Acme") -> Receipt:
    async with database.transaction() as work:
        return await erase_caller(work, await company_named(work, company), number, NOW)


async def visit(store: RecordStore, device: UUID, seq: int, number: str | None, sha: str) -> dict[str, str]:
    """A call with a message, its recording, and a callback to another telephone with a spoken reason."""
    ids = {name: record_id() for name in ("call", "message", "recording", "reason", "callback")}
    body = {"call_id": ids["call"], "caller_number": number}
    call = {"caller_number": number, "caller_name": "Li Lei", "evidence": "said Li Lei", "line": "front"}
    blob = {"sha256": sha, "bytes": 3}
    records = [
        incoming(seq, id=ids["call"], body=call),
        incoming(seq + 1, id=ids["recording"], kind="recording", body={"call_id": ids["call"]}, blob=blob),
        incoming(seq + 2, id=ids["reason"], kind="recording", body={"purpose": "reason"}),
        incoming(
            seq + 3, id=ids["message"], kind="message", body={**body, "recording_id": ids["recording"]}, blob=blob
        ),
        incoming(
            seq + 4,
            id=ids["callback"],
            kind="callback",
            body={"call_id": ids["call"], "phone": "02087654321", "reason_id": ids["reason"]},
        ),
    ]
    answers = await store.store(device, records, report(records))
    assert {answer.outcome.value for answer in answers} == {"stored"}
    return ids


@pytest.mark.parametrize("asked", SPELLINGS)
async def test_one_caller_goes_in_every_spelling(
    database: Database, store: RecordStore, device: UUID, asked: str
) -> None:
    async with database.transaction() as work:
        branch = await add_device(work, await company_named(work, "Acme"), "branch")
    for sha, place in ((SHA, device), (OTHER, device), (SHA, branch)):
        await blob_rows.note(database, place, sha, 3)
    await visit(store, device, 1, SPELLINGS[0], SHA)
    await visit(store, branch, 1, SPELLINGS[1], SHA)
    stays = await visit(store, device, 6, "13900139000", OTHER)
    receipt = await erase(database, asked)
    assert receipt.counts == {"blob": 2, "call": 2, "callback": 2, "message": 2, "recording": 4}
    rows = await list_records(database)
    left = {row["id"] for row in rows if not row["erased"] and row["kind"] != "call"}
    assert left == {stays[name] for name in ("message", "recording", "reason", "callback")}
    assert sorted((row["body"]["caller_number"] or "") for row in rows if row["kind"] == "call") == [
        "",
        "",
        "13900139000",
    ]
    assert await blob_rows.exists(database, device, [SHA, OTHER]) == {OTHER}


async def test_nothing_of_the_caller_is_left_in_any_column(
    database: Database, store: RecordStore, device: UUID
) -> None:
    await blob_rows.note(database, device, SHA, 3)
    ids = await visit(store, device, 1, SPELLINGS[0], SHA)
    clash = incoming(2, 1, id=ids["call"], body={"caller_number": SPELLINGS[1]})
    await store.store(device, [clash], report([clash]))
    receipt = await erase(database, SPELLINGS[0])
    tables = ("record", "record_conflict", "blob", "erasure_receipt", "device_progress")
    told = str([await database.rows(f"SELECT * FROM {table}") for table in tables]) + str(receipt)
    for trace in ("Li Lei", "8001380", "800 138", "0013 8000", "2087654321", SHA):
        assert trace not in told
    assert len(await list_records(database, kind="call")) == 1


async def test_no_later_version_brings_the_caller_back(database: Database, store: RecordStore, device: UUID) -> None:
    await blob_rows.note(database, device, SHA, 3)
    ids = await visit(store, device, 1, SPELLINGS[0], SHA)
    await erase(database, SPELLINGS[0])
    blob = {"sha256": SHA, "bytes": 3}
    late = [
        incoming(9, 1, id=ids["call"], body={"caller_number": SPELLINGS[0]}),
        incoming(10, id=ids["call"], body={"caller_number": SPELLINGS[0], "end_reason": "caller"}),
        incoming(11, id=ids["message"], kind="message", body={"caller_number": SPELLINGS[0], "handled": True}),
        # This one had waited on the appliance all the time.
        incoming(12, kind="message", body={"call_id": ids["call"], "caller_number": SPELLINGS[1]}, blob=blob),
    ]
    answers = await store.store(device, late, report(late))
    assert [answer.outcome.value for answer in answers] == ["duplicate", "stored", "duplicate", "stored"]
    told = str(await database.rows("SELECT * FROM record"))
    assert not [trace for trace in (*SPELLINGS, "+8613800138000") if trace in told]
    (call,) = await list_records(database, kind="call")
    assert call["body"] == {"caller_number": None, "end_reason": "caller"}
    assert {row["erased"] for row in await list_records(database, kind="message")} == {True}


async def test_audio_that_comes_after_its_caller_was_erased_goes_as_well(
    database: Database, store: RecordStore, device: UUID
) -> None:
    await blob_rows.note(database, device, SHA, 3)
    ids = await visit(store, device, 1, SPELLINGS[0], SHA)
    await erase(database, SPELLINGS[0])
    # It had been uploaded before the erasure, or again by an appliance that was restored.
    for sha in (SHA, OTHER):
        await blob_rows.note(database, device, sha, 3)
    blobs = [{"sha256": sha, "bytes": 3} for sha in (SHA, OTHER)]
    late = [
        incoming(9, id=ids["message"], kind="message", body={"call_id": ids["call"]}, blob=blobs[0]),
        incoming(10, kind="message", body={"call_id": ids["call"]}, blob=blobs[1]),
    ]
    await store.store(device, late, report(late))
    assert await blob_rows.exists(database, device, [SHA, OTHER]) == set()
    assert len(await database.rows("SELECT FROM doomed_blob")) == 2


async def test_an_erasure_takes_audio_along_that_came_without_its_record_or_in_part(
    database: Database, store: RecordStore, device: UUID
) -> None:
    begun, used = "12" * 32, "34" * 32
    for sha in (SHA, used):
        await blob_rows.note(database, device, sha, 3)
    other = incoming(1, kind="recording", body={}, blob={"sha256": used, "bytes": 3})
    await store.store(device, [other], report([other]))
    erased = [
        incoming(seq, kind="recording", erased=True, blob={"sha256": sha, "bytes": 3})
        for seq, sha in enumerate((SHA, begun, used), start=2)
    ]
    answers = await store.store(device, erased, report(erased))
    assert {answer.outcome.value for answer in answers} == {"stored"}
    assert await blob_rows.exists(database, device, [SHA, begun, used]) == {used}
    doomed = await database.rows("SELECT encode(sha256, 'hex') AS it FROM doomed_blob")
    assert {row["it"] for row in doomed} == {SHA, begun}


async def test_another_company_keeps_its_caller(database: Database, store: RecordStore, device: UUID) -> None:
    await blob_rows.note(database, device, SHA, 3)
    await visit(store, device, 1, SPELLINGS[0], SHA)
    assert (await erase(database, SPELLINGS[0], "Other")).counts == {}
    assert {row["erased"] for row in await list_records(database)} == {False}
    async with database.transaction() as work:
        with pytest.raises(NotFound):
            await erase_caller(work, UUID(int=1), SPELLINGS[0], NOW)


async def test_an_extension_is_a_number_too(database: Database, store: RecordStore, device: UUID) -> None:
    call = incoming(1, body={"caller_number": "801"})
    await store.store(device, [call], report([call]))
    assert (await erase(database, "802")).counts == {}
    assert (await erase(database, "801")).counts == {"call": 1}


async def test_erasing_while_records_arrive_locks_nobody_out(
    database: Database, store: RecordStore, device: UUID
) -> None:
    async with database.transaction() as work:
        others = [await add_device(work, await company_named(work, "Acme"), f"branch {number}") for number in range(3)]

    async def deliver(place: UUID) -> None:
        for seq in range(1, 13):
            call = incoming(seq, body={"caller_number": SPELLINGS[seq % 3], "line": "front"})
            await store.store(place, [call], report([call]))

    async def erase_again() -> None:
        for _ in range(6):
            await erase(database, SPELLINGS[0])

    await asyncio.gather(*(deliver(place) for place in (device, *others)), erase_again(), erase_again())
    assert len(await list_records(database)) == 48
    await erase(database, SPELLINGS[0])
    assert {row["body"]["caller_number"] for row in await list_records(database)} == {None}
