"""Nonces and the deny list in PostgreSQL."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from collector.database import Database
from collector.errors import DatabaseUnavailable
from collector.identity.admissions import Admissions, prune_nonces

SOON = datetime.now(UTC) + timedelta(minutes=7)


async def test_of_many_at_once_each_nonce_is_taken_once(database: Database, device: UUID) -> None:
    copies = [Admissions(database), Admissions(database)]
    nonces = [secrets.token_bytes(16) for _ in range(20)]
    asked = [copy.ask(device, nonce, SOON) for nonce in nonces for copy in (*copies, copies[0])]
    answers = await asyncio.gather(*asked, copies[0].ask(uuid4(), nonces[0], SOON))
    assert answers.pop() is None
    assert sum(answer.fresh for answer in answers if answer) == len(nonces)


async def test_one_that_gives_up_takes_nothing_from_the_others(database: Database, device: UUID) -> None:
    copy = Admissions(database)
    first, second = (asyncio.create_task(copy.ask(device, secrets.token_bytes(16), SOON)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    answer = await second
    assert answer is not None
    assert answer.fresh
    await asyncio.wait([first])


async def test_old_nonces_are_forgotten(database: Database, device: UUID) -> None:
    copy = Admissions(database)
    await copy.ask(device, b"1" * 16, SOON)
    assert await prune_nonces(database, SOON - timedelta(seconds=1)) == 0
    assert await prune_nonces(database, SOON + timedelta(seconds=1)) == 1


async def test_a_database_that_is_away_is_an_error_for_all(database: Database, device: UUID) -> None:
    copy = Admissions(database)
    await database.close()
    asked = [asyncio.create_task(copy.ask(device, secrets.token_bytes(16), SOON)) for _ in range(3)]
    for one in asked:
        with pytest.raises(DatabaseUnavailable):
            await one
