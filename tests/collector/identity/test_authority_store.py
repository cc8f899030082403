from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from collector.database import Database
from collector.errors import CollectorError
from collector.identity.authority_store import authority_in_database, authority_in_folder
from tests.collector.copies import ShiftedClock


async def test_copies_that_start_together_share_one_authority(database: Database, tmp_path: Path) -> None:
    clock = ShiftedClock()
    made = await asyncio.gather(*(authority_in_database(database, clock) for _ in range(4)))
    assert len({one.certificate_pem for one in made}) == 1
    kept = await asyncio.gather(*(authority_in_folder(tmp_path / "authority", clock) for _ in range(4)))
    assert len({one.key_pem for one in kept}) == 1


async def test_an_authority_that_cannot_be_read_is_told_and_not_replaced(tmp_path: Path) -> None:
    clock = ShiftedClock()
    await authority_in_folder(tmp_path, clock)
    (tmp_path / "authority.key").write_text("damaged")
    with pytest.raises(CollectorError, match="from a backup"):
        await authority_in_folder(tmp_path, clock)
    assert (tmp_path / "authority.key").read_text() == "damaged"
