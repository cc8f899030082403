"""A migrated database for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from collector.database import Database
from collector.records.devices import add_device, company_named
from tests.postgres_servers import NOW

__all__ = ["NOW", "database", "device"]


@pytest.fixture
async def database(migrated_url: str) -> AsyncIterator[Database]:
    """Migrated, with the months around NOW."""
    async with Database(migrated_url) as made:
        yield made


@pytest.fixture
async def device(database: Database) -> UUID:
    """An appliance called "front desk" of the company "Acme"."""
    async with database.transaction() as work:
        return await add_device(work, await company_named(work, "Acme"), "front desk")
