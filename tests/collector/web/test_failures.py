"""PostgreSQL and the object store fail at any step of any request; nothing wrong is told, and all ends well."""

from __future__ import annotations

import hashlib
import json
import random
import secrets
from collections.abc import Callable
from typing import Any

import httpx
import obstore
import psycopg
import pytest
from obstore.exceptions import GenericError

from collector.service import Collector
from tests.collector.clients import Appliance, signing_request
from tests.collector.copies import Copies
from tests.collector.records.wire import record_id, wire

_LATER = {429, 503}
_ROUNDS = 1
_WHOLE = "SELECT encode(sha256, 'hex') AS it FROM blob WHERE device = %s"
_PART = 5000


class Fault:
    """Of so many calls about one goes wrong, for as long as it is `armed`."""

    def __init__(self, of: int) -> None:
        self.armed = False
        self.failures = 0
        self._of = of
        self._choose = random.Random(of)

    def now(self) -> bool:
        wrong = self.armed and self._choose.randrange(self._of) == 0
        self.failures += wrong
        return wrong


def _break_database(monkeypatch: pytest.MonkeyPatch, url: str, fault: Fault, answer_is_lost: bool) -> None:
    """The server ends the connection before a statement; or the statement is done, and its answer lost."""
    execute = psycopg.AsyncConnection.execute

    async def broken(self: Any, *given: Any, **named: Any) -> Any:
        if not fault.now():
            return await execute(self, *given, **named)
        result = await execute(self, *given, **named) if answer_is_lost else None
        with psycopg.connect(url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 2000)", [self.info.backend_pid])
        if result is not None:
            await self.close()
            raise psycopg.OperationalError("the connection is lost")
        return await execute(self, *given, **named)

    monkeypatch.setattr(psycopg.AsyncConnection, "execute", broken)


def _break_store(monkeypatch: pytest.MonkeyPatch, fault: Fault, answer_is_lost: bool) -> None:
    def breaking(call: Callable[..., Any]) -> Callable[..., Any]:
        async def broken(*given: Any, **named: Any) -> Any:
            wrong = fault.now()
            result = await call(*given, **named) if answer_is_lost or not wrong else None
            if wrong:
                raise GenericError("503 Slow Down")
            return result

        return broken

    for name in ("put_async", "get_range_async", "head_async", "list_with_delimiter_async", "delete_async"):
        monkeypatch.setattr(obstore, name, breaking(getattr(obstore, name)))


async def _until_done(send: Callable[[], Any]) -> Any:
    for _ in range(40):
        answer: httpx.Response = await send()
        if answer.status_code == 200:
            return answer.json()
        assert answer.status_code in _LATER, answer.text
        assert answer.headers["retry-after"]
    pytest.fail("it never ends")


async def _upload(appliance: Appliance, web: httpx.AsyncClient, content: bytes) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    there = {"offset": 0, "complete": False}
    while not there["complete"]:
        at = there["offset"]
        target = f"/blobs/{sha256}?offset={at}&size={len(content)}"
        part = content[at : at + _PART]
        answer = await appliance.send(web, "PATCH", target, part)
        assert answer.status_code in {200, 409, *_LATER}, answer.text
        there = await _until_done(lambda: appliance.send(web, "GET", f"/blobs/{sha256}"))
    return sha256


def _batch(*records: dict[str, Any]) -> bytes:
    told = {"queued": 0, "next_seq": 9, "oldest_seq": None, "sent_at": records[0]["queued_at"], "clock_trusted": True}
    return json.dumps({"records": records, **told}).encode()


async def _work(appliance: Appliance, web: httpx.AsyncClient, first: int) -> list[str]:
    """All that an appliance does, once; the ids of its records."""
    await _until_done(lambda: appliance.send(web, "GET"))
    content = secrets.token_bytes(2 * _PART + 100)
    blob = {"sha256": await _upload(appliance, web, content), "bytes": len(content)}
    edit = {"kind": "contact", "key": f"+86138{first:08}", "base_version": 0, "body": {"name": "Li"}}
    records = [
        wire(first),
        wire(first + 1, kind="message", blob=blob),
        wire(first + 2, kind="shared", id=record_id(), body={**edit, "touched": ["name"], "edited_at": ""}),
    ]
    told = await _until_done(lambda: appliance.send(web, "POST", "/records", _batch(*records)))
    assert {one["outcome"] for one in told["answers"]} <= {"stored", "duplicate"}
    news = await _until_done(lambda: appliance.send(web, "GET", "/down?after=0"))
    acks = json.dumps({"acks": [{"change": one["change"], "result": "done"} for one in news["changes"]]}).encode()
    await _until_done(lambda: appliance.send(web, "POST", "/down", acks))
    csr = json.dumps({"csr_pem": signing_request(appliance.key)}).encode()
    await _until_done(lambda: appliance.send(web, "POST", "/certificate", csr))
    return [record["id"] for record in records]


async def _check(collector: Collector, appliance: Appliance, ids: list[str]) -> None:
    rows = await collector.database.rows(
        "SELECT count(*) AS records, count(DISTINCT record_id) AS ids FROM record"
        " WHERE device = %s AND record_id = ANY(%s::uuid[])",
        [appliance.device, ids],
    )
    assert rows == [{"records": len(ids), "ids": len(ids)}]
    blobs = await collector.database.rows(_WHOLE, [appliance.device])
    assert len(blobs) == _ROUNDS
    for blob in blobs:
        content = await collector.shelf.read(f"{appliance.device}/{blob['it'][:2]}/{blob['it']}", 0, 10 * _PART)
        assert hashlib.sha256(content).hexdigest() == blob["it"]


@pytest.mark.parametrize("what", ["database", "store"])
@pytest.mark.parametrize("answer_is_lost", [False, True])
async def test_it_fails_at_any_step_and_all_ends_well(
    copies: Copies, module_url: str, monkeypatch: pytest.MonkeyPatch, what: str, answer_is_lost: bool
) -> None:
    fault = Fault(16 if what == "database" else 5)
    async with copies.copy(database_connections=3) as (collector, web):
        appliance = await copies.enrolled(collector, web)
        if what == "database":
            _break_database(monkeypatch, module_url, fault, answer_is_lost)
        else:
            _break_store(monkeypatch, fault, answer_is_lost)
        fault.armed = True
        ids = []
        for turn in range(_ROUNDS):
            ids += await _work(appliance, web, 1 + 3 * turn)
        fault.armed = False
        assert fault.failures
        await _check(collector, appliance, ids)
