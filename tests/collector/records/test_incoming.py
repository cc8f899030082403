"""Whatever an appliance sends: a record, a refusal with its reason, or `Malformed`; never anything else."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.errors import Malformed
from collector.records.columns import columns_of
from collector.records.incoming import IncomingRecord, Refused, batch_of, parsed_time, record_of
from collector.records.json_values import MOST_DEPTH, surely_jsonb, why_no_jsonb
from firmware.uplink_contract.canonical import body_hash
from firmware.uplink_contract.limits import MOST_RECORD_BYTES
from tests.collector.records.wire import TIME, wire

TEXT = st.text(st.characters(), max_size=12)  # half surrogates too
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
SHA = {"sha256": "ab" * 32, "bytes": 1}


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"kind": "secret"}, "kind"),
        ({"kind": ["call"]}, "kind"),
        ({"id": "ABCDEF00-0000-7000-8000-000000000000"}, "id"),
        ({"id": 5}, "id"),
        ({"id": "x\ud800"}, "id"),
        ({"queued_at": "2026-11-27T11:00:00"}, "queued_at"),
        ({"queued_at": "0001-01-01T00:00:00+14:00"}, "queued_at"),
        ({"clock_trusted": 1}, "clock_trusted"),
        ({"erased": "no"}, "erased"),
        ({"erased": True, "body": {}}, "erased"),
        ({"body": None}, "body"),
        ({"body": {"a": "\0"}}, "zero"),
        ({"body": {"\0": 1}}, "zero"),
        ({"body": {"a": "\ud800"}}, "text that is none"),
        ({"body": {"a": float("nan")}}, "number"),
        ({"body": {"a": 10**400}}, "digits"),
        ({"body": nested(MOST_DEPTH + 1)}, "deep"),
        ({"body": nested(100_000)}, "deep"),
        ({"body": {"a": "x" * MOST_RECORD_BYTES}}, "at most"),
        ({"blob": {"sha256": "AB" * 32, "bytes": 1}}, "sha256"),
        ({"blob": {"sha256": "ab" * 32, "bytes": -1}}, "bytes"),
        ({"blob": {"sha256": "ab" * 32, "bytes": 2**40}}, "blob"),
        ({"blob": []}, "blob"),
    ],
)
def test_a_record_that_cannot_be_stored_says_why(change: dict[str, Any], reason: str) -> None:
    record = record_of(wire(1, **{"erased": False, **change}))
    assert isinstance(record, Refused)
    assert reason in record.reason
    assert (record.seq, record.version) == (1, 1)


@pytest.mark.parametrize("change", [{"seq": None}, {"seq": True}, {"seq": -1}, {"version": 2**63}, {"version": 1.0}])
def test_without_numbers_there_is_nothing_to_answer_with(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        record_of({**wire(1), **change})


@given(st.sampled_from([*wire(1, blob=SHA)]), JSON)
def test_any_value_in_any_field_is_judged(field: str, value: Any) -> None:
    try:
        record = record_of({**wire(1, blob=SHA), field: value})
    except Malformed:
        assert field in {"seq", "version"}
        return
    if isinstance(record, IncomingRecord):
        columns_of(record, "CN")


@given(st.fixed_dictionaries(dict.fromkeys(("caller_number", "phone", "call_id", "urgent", "started_at"), JSON)))
def test_any_body_has_columns_that_fit(body: dict[str, Any]) -> None:
    record = record_of(wire(1, body=body))
    if isinstance(record, IncomingRecord):
        assert record.body_hash == bytes.fromhex(body_hash(body))
        columns = columns_of(record, "GB")
        assert columns.number is None or len(columns.number) <= 64
        assert columns.at.tzinfo is not None


@given(JSON)
def test_any_batch_is_taken_or_malformed(value: Any) -> None:
    for batch in (value, {"records": value}, {**good_batch(), "queued": value}, {**good_batch(), "sent_at": value}):
        with suppress(Malformed):
            batch_of(batch)


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_none(text: str) -> None:
    time = parsed_time(text)
    assert time is None or time.tzinfo is not None


@given(JSON)
def test_what_jsonb_can_hold_is_known_beforehand(value: Any) -> None:
    text = json.dumps(value)
    reason = why_no_jsonb(value)
    assert reason is not None or "\\u0000" not in text.replace("\\\\", "")
    assert reason is None or not surely_jsonb(text.encode())


def good_batch() -> dict[str, Any]:
    return {
        "records": [wire(1), wire(2, kind="none")], "queued": 2, "next_seq": 3, "oldest_seq": None, "sent_at": TIME,
        "clock_trusted": True,
    }  # fmt: skip


def test_a_batch_keeps_its_order_and_what_is_wrong_with_each() -> None:
    records, queue = batch_of(good_batch())
    assert [type(record) for record in records] == [IncomingRecord, Refused]
    assert (queue.queued, queue.next_seq, queue.oldest_seq) == (2, 3, None)
    with pytest.raises(Malformed, match="200"):
        batch_of({**good_batch(), "records": [wire(1)] * 201})
