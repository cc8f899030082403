"""Folders: imported once, however often; damaged ones as far as they are whole; hostile ones without harm."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.database import Database
from collector.errors import ImportRefused
from collector.importing.folder import DamagedLine, batches
from collector.importing.importer import Importer
from collector.records.listing import list_records
from collector.records.progress import gaps
from collector.records.store import RecordStore
from firmware.uplink_contract.limits import MOST_RECORD_BYTES
from tests.collector.importing.folders import DEVICE, MemoryShelf, add_audio, add_records, export_to
from tests.collector.records.wire import FixedClock, incoming, record_id, report, wire


@pytest.fixture
def importer(database: Database) -> Importer:
    return Importer(database, RecordStore(database, FixedClock()), MemoryShelf())


async def test_a_folder_arrives_once_however_often(importer: Importer, database: Database, tmp_path: Path) -> None:
    place = export_to(tmp_path)
    blob = add_audio(place, b"RIFFsamples")
    calls = [wire(seq) for seq in range(1, 251)]
    add_records(place, [*calls[:249], wire(250, kind="message", blob=blob)])
    add_records(place, [wire(251, id=calls[0]["id"], body={"line": "back"}), wire(252, id=calls[1]["id"], erased=True)])
    first = await importer.run(tmp_path, "Acme")
    assert (first.appliances, first.recordings, first.problems) == (1, 1, [])
    assert first.counts == {"stored": 252}
    again = await importer.run(place)
    assert again.counts == {"duplicate": 252}
    rows = await list_records(database, device="office", limit=1000)
    assert len(rows) == 250
    assert {row["company"] for row in rows} == {"Acme"}
    assert (await gaps(database, UUID(DEVICE))).ranges == ()
    shelf = importer.shelf
    assert isinstance(shelf, MemoryShelf)
    assert shelf.kept == {(UUID(DEVICE), blob["sha256"]): b"RIFFsamples"}


async def test_what_is_damaged_is_told_and_the_rest_arrives(
    importer: Importer, database: Database, tmp_path: Path
) -> None:
    place = export_to(tmp_path)
    blob, cut, gone = (add_audio(place, content) for content in (b"good", b"cut later", b"gone later"))
    (place / "audio" / f"{cut['sha256']}.wav").write_bytes(b"cut")
    (place / "audio" / f"{gone['sha256']}.wav").unlink()
    file = add_records(place, [wire(seq, blob=one) for seq, one in enumerate((blob, cut, gone), 1)])
    with file.open("ab") as more:
        more.write(b"x" * (MOST_RECORD_BYTES * 3) + b"\n\xff\xfe\n" + b"[" * 50_000 + b"\n")
        more.write(json.dumps(wire(4, body={"a": "\0"})).encode() + b"\n")
        more.write(json.dumps(wire(5)).encode()[:-9])
    add_records(place, [wire(6)])
    result = await importer.run(tmp_path)
    assert result.counts == {"stored": 2, "need_blob": 2, "rejected": 1, "damaged": 4}
    told = "\n".join(result.problems)
    for part in ("line 4, has more than", "line 8, is cut", "its bytes are not what its name says", "is not there"):
        assert part in told
    add_audio(place, b"gone later")
    assert (await importer.run(tmp_path)).counts["stored"] == 1
    assert len(await list_records(database)) == 3


async def test_links_pipes_and_strange_names_are_not_followed(importer: Importer, tmp_path: Path) -> None:
    secret = tmp_path / "secret.jsonl"
    secret.write_text(json.dumps(wire(1)))
    stick = tmp_path / "stick"
    place = export_to(stick)
    records = place / "records"
    (records / f"{1:020}-{UUID(int=1)}.jsonl").symlink_to(secret)
    os.mkfifo(records / f"{2:020}-{UUID(int=2)}.jsonl")
    (records / "evil\n\x1b[31m.jsonl").write_text("{}")
    (records / f".{3:020}-{UUID(int=3)}.jsonl").write_text(json.dumps(wire(3)))
    (stick / "linekeeper-link").symlink_to(tmp_path)
    result = await importer.run(stick)
    assert result.counts == {}
    assert len(result.problems) == 4
    assert all(problem.isprintable() for problem in result.problems)


async def test_what_is_no_export_is_refused_in_a_sentence(importer: Importer, tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ImportRefused):
            await importer.run(folder)
    place = export_to(tmp_path)
    (place / "appliance.json").write_text("[1]")
    assert "does not tell which appliance" in (await importer.run(tmp_path)).problems[0]


async def test_an_enrolled_appliance_keeps_its_company_and_its_count(
    importer: Importer, database: Database, device: UUID, tmp_path: Path
) -> None:
    sent = [incoming(1), incoming(2)]
    await importer.store.store(device, sent, report(sent, oldest_seq=None, next_seq=3))
    place = export_to(tmp_path, str(device))
    add_records(place, [wire(40), wire(41)])
    with pytest.raises(ImportRefused, match="belongs to Acme"):
        await importer.run(tmp_path, "Other")
    assert (await importer.run(tmp_path)).counts == {"stored": 2}
    assert (await gaps(database, device)).ranges == ()


async def test_ids_that_are_no_uuid_are_the_same_each_time(
    importer: Importer, database: Database, tmp_path: Path
) -> None:
    place = export_to(tmp_path, "front desk \ud800")
    add_records(place, [wire(1, id=record_id())])
    assert (await importer.run(tmp_path)).counts == {"stored": 1}
    assert (await importer.run(tmp_path)).counts == {"duplicate": 1}


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_any_file_gives_a_line_for_a_line(tmp_path_factory: pytest.TempPathFactory, parts: list[bytes]) -> None:
    file = tmp_path_factory.mktemp("any") / "records.jsonl"
    content = b"\n".join(parts)
    file.write_bytes(content)
    lines: list[Any] = [line for batch in batches(file) for line in batch]
    assert len(lines) == content.count(b"\n") + (not content.endswith(b"\n") and content != b"")
    assert all(isinstance(line, DamagedLine) for line in lines)
