"""Real servers for tests: one PostgreSQL and one object store per test process, a database or a bucket per test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from benchmarks.object_store import CREDENTIALS, ObjectStore
from benchmarks.postgres import PostgresServer

_BUCKETS = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture
def database_url(postgres: PostgresServer) -> str:
    """An empty database."""
    return postgres.database()


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
