"""Real servers for tests: one PostgreSQL and one object store per test process, a database or a bucket per test."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from benchmarks.object_store import CREDENTIALS, ObjectStore
from benchmarks.postgres import PostgresServer
from collector.database import Database
from collector.migrating import migrate
from collector.partitions import make_ahead

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
"""The collector's time in tests."""
_BUCKETS = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture
def database_url(postgres: PostgresServer) -> Iterator[str]:
    """An empty database."""
    url = postgres.database()
    yield url
    postgres.drop(url)


@pytest.fixture(scope="session")
def migrated(postgres: PostgresServer) -> str:
    """A database that others are copied from."""

    async def make(url: str) -> None:
        async with Database(url) as made:
            await migrate(made)
            await make_ahead(made, NOW)

    url = postgres.database()
    # In a thread of its own: the one of the tests has their event loop.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, make(url)).result()
    return url


@pytest.fixture
def migrated_url(postgres: PostgresServer, migrated: str) -> Iterator[str]:
    """Migrated, with the months around NOW."""
    url = postgres.database(like=migrated)
    yield url
    postgres.drop(url)


@pytest.fixture(scope="session")
def object_store() -> Iterator[ObjectStore]:
    with ObjectStore() as store:
        yield store


@pytest.fixture
def bucket_url(object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty bucket; the environment says where and who, as obstore and other S3 clients read it."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", object_store.url)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    return object_store.bucket(f"bucket-{next(_BUCKETS)}")
