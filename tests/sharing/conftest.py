"""Two appliances of one company, and their collector."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from collector.service import Collector, Options
from tests.collector.copies import Copies, collector, one, web
from tests.sharing.appliances import Appliance, new_appliance

__all__ = ["collector", "one", "web"]


@pytest.fixture
def copies(database_url: str, tmp_path: Path) -> Copies:
    return Copies(Options(database_url, str(tmp_path / "blobs"), "127.0.0.1:0"))


@pytest.fixture
async def front(copies: Copies, collector: Collector, tmp_path: Path) -> AsyncIterator[Appliance]:
    made = await new_appliance(copies, collector, tmp_path, "front")
    yield made
    await made.stop()


@pytest.fixture
async def back(copies: Copies, collector: Collector, tmp_path: Path) -> AsyncIterator[Appliance]:
    made = await new_appliance(copies, collector, tmp_path, "back")
    yield made
    await made.stop()
