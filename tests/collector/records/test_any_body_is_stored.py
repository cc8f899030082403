"""Whatever was accepted as a record, PostgreSQL can hold: no body makes an error of the server's."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.database import Database
from collector.records.devices import add_device, company_named
from collector.records.incoming import IncomingRecord, record_of
from collector.records.judging import Outcome
from collector.records.store import RecordStore
from tests.collector.records.test_incoming import JSON, TEXT
from tests.collector.records.wire import FixedClock, record_id, report, wire

TIMES = st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat())
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "caller_number": TEXT | st.from_regex(r"\+?[0-9 ()-]{0,80}", fullmatch=True),
        "phone": TEXT,
        "call_id": st.uuids().map(str) | TEXT,
        "started_at": TIMES | TEXT,
        "urgent": JSON,
        "more": JSON,
    },
)
RECORDS = st.lists(
    st.tuples(
        FIELDS, st.uuids().map(str) | st.builds(record_id), TIMES, st.sampled_from(["call", "message", "shared"])
    ),
    min_size=20,
    max_size=40,
)


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(RECORDS)
def test_what_was_accepted_is_stored(migrated_url: str, drawn: list[tuple[dict[str, Any], str, str, str]]) -> None:
    raw = [
        wire(seq, body=body, id=name, queued_at=at, kind=kind) for seq, (body, name, at, kind) in enumerate(drawn, 1)
    ]
    records = [record_of(record) for record in raw]
    with ThreadPoolExecutor(1) as thread:
        outcomes = thread.submit(asyncio.run, _stored(migrated_url, records)).result()
    accepted = [isinstance(record, IncomingRecord) for record in records]
    assert [outcome is not Outcome.REJECTED for outcome in outcomes] == accepted


async def _stored(url: str, records: list[Any]) -> list[Outcome]:
    async with Database(url, most_connections=1) as database:
        async with database.transaction() as work:
            device = await add_device(work, await company_named(work, "Acme"), "front desk")
        answers = await RecordStore(database, FixedClock()).store(device, records, report(records))
    return [answer.outcome for answer in answers]
