"""A migrated database for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import pytest

from collector.database import Database
from collector.migrating import migrate
from collector.partitions import make_ahead
from collector.records.devices import add_device, company_named

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Migrated, with the months around NOW."""
    async with Database(database_url) as made:
        await migrate(made)
        await make_ahead(made, NOW)
        yield made


@pytest.fixture
async def device(database: Database) -> UUID:
    """An appliance called "front desk" of the company "Acme"."""
    async with database.transaction() as work:
        return await add_device(work, await company_named(work, "Acme"), "front desk")
