"""Copies of the collector that run in the test's own process, and clients for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from benchmarks.postgres import PostgresServer
from collector.identity.enrolment import make_claim
from collector.service import Collector, Options, running
from tests.collector.clients import Appliance, enrol


class ShiftedClock:
    """The real time of day, and a shift that a test may change."""

    def __init__(self) -> None:
        self.shift = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.shift


class Copies:
    """Makes copies on one database and one place for recordings."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.clock = ShiftedClock()

    @asynccontextmanager
    async def copy(self, **changes: object) -> AsyncIterator[tuple[Collector, httpx.AsyncClient]]:
        """One that answers, and a client of it."""
        options = replace(self.options, **changes)  # type: ignore[arg-type]
        async with running(options, self.clock) as made, _client(made) as web:
            yield made, web

    async def enrolled(self, made: Collector, web: httpx.AsyncClient, company: str = "Acme") -> Appliance:
        """An appliance that has enrolled."""
        code = await make_claim(made.database, "front desk", company, self.clock.now(), timedelta(hours=1))
        return await enrol(web, code)


def _client(made: Collector) -> httpx.AsyncClient:
    host, port = made.address
    return httpx.AsyncClient(base_url=f"http://{host}:{port}", trust_env=False, timeout=30)


@pytest.fixture(scope="module")
def module_url(postgres: PostgresServer) -> str:
    """One database for the tests of a module: each has appliances of its own."""
    return postgres.database()


@pytest.fixture
def copies(module_url: str, tmp_path: Path) -> Copies:
    return Copies(Options(module_url, str(tmp_path / "blobs"), "127.0.0.1:0"))


@pytest.fixture
async def one(copies: Copies) -> AsyncIterator[tuple[Collector, httpx.AsyncClient]]:
    """A running copy, and a client of it."""
    async with copies.copy() as both:
        yield both


@pytest.fixture
def collector(one: tuple[Collector, httpx.AsyncClient]) -> Collector:
    return one[0]


@pytest.fixture
def web(one: tuple[Collector, httpx.AsyncClient]) -> httpx.AsyncClient:
    return one[1]


@pytest.fixture
async def appliance(copies: Copies, collector: Collector, web: httpx.AsyncClient) -> Appliance:
    return await copies.enrolled(collector, web)
