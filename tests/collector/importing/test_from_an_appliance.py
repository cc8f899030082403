"""What an appliance writes on a stick is what the collector reads from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.database import Database
from collector.importing.importer import Importer
from collector.records.listing import list_records
from collector.records.store import RecordStore
from firmware.sync.folder_uplink import FolderUplink
from tests.collector.importing.folders import MemoryShelf
from tests.collector.records.wire import FixedClock
from tests.sync.records import APPLIANCE, blob_in, entry


@pytest.fixture
def importer(database: Database) -> Importer:
    return Importer(database, RecordStore(database, FixedClock()), MemoryShelf())


async def test_a_stick_from_an_appliance_arrives_whole_and_forgets_what_was_erased(
    importer: Importer, database: Database, tmp_path: Path
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    folder = FolderUplink(stick, APPLIANCE, tmp_path, same_disk=True)
    kept, erased = blob_in(tmp_path, b"\x01" * 500), blob_in(tmp_path, b"\x02" * 500)
    entries = [entry(seq, {"caller_name": "王小明"}, kind="call") for seq in range(1, 251)]
    for start in (0, 200):
        await folder.deliver(entries[start : start + 200])
    await folder.deliver([entry(251, kind="recording", blob=kept), entry(252, kind="recording", blob=erased)])
    first = await importer.run(stick, "Acme")
    assert (first.counts, first.recordings, first.problems) == ({"stored": 252}, 2, [])
    await folder.deliver([entry(253, kind="recording", record_id=entry(252).record_id, erased=True)])
    again = await importer.run(stick, "Acme")
    assert again.problems == []
    assert again.counts["stored"] == 1
    rows = await list_records(database, device=APPLIANCE.name, limit=1000)
    gone = {str(row["id"]): row["body"] for row in rows if row["erased"]}
    assert (len(rows), gone) == (252, {entry(252).record_id: None})
    await folder.close()
