"""What comes over the down-channel and out of edits may be anything; nothing of it does more than be refused."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from collector.sharing.edits import read_edit
from firmware.sync.collector_answers import NoSense
from firmware.sync.collector_down import read_news
from firmware.uplink_contract.shared_kinds import KINDS, fault_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
CHANGE = st.fixed_dictionaries(
    {},
    optional={
        "change": st.integers(-1, 5) | JSON,
        "kind": st.sampled_from([*KINDS, "erase"]) | JSON,
        "key": st.text(max_size=10) | JSON,
        "version": st.integers(0, 5) | JSON,
        "body": st.dictionaries(st.text(max_size=5), JSON, max_size=2) | JSON,
        "blob": JSON,
        "item": JSON,
    },
)


@given(st.fixed_dictionaries({}, optional={"changes": st.lists(CHANGE, max_size=4) | JSON, "down": JSON}))
def test_any_answer_is_news_in_order_or_makes_no_sense(fields: dict[str, Any]) -> None:
    try:
        news = read_news(fields, 1)
    except NoSense:
        return
    numbers = [change.number for change in news.changes]
    assert numbers == sorted(set(numbers))
    assert all(1 < number <= news.up_to for number in numbers)


@given(st.sampled_from([*KINDS, "spell"]), JSON, JSON)
def test_any_entry_is_good_or_its_fault_is_a_sentence(kind: str, key: Any, body: Any) -> None:
    fault = fault_of(kind, key, body)
    assert fault is None or (len(fault) < 400 and " " in fault)


@given(
    st.dictionaries(
        st.sampled_from(["kind", "key", "item", "base_version", "body", "touched", "edited_at"]),
        JSON | st.sampled_from([*KINDS, "+8613800138000", "anonymous"]) | st.just(["name"]) | st.just({"name": "Li"}),
    )
)
def test_any_record_is_an_edit_of_what_branches_edit_or_is_told_why_not(body: dict[str, Any]) -> None:
    wanted = read_edit(body, "front")
    if isinstance(wanted, str):
        assert wanted
        return
    assert KINDS[body["kind"]].branches_edit
    assert wanted.edit.touched <= set(KINDS[body["kind"]].fields)


@pytest.mark.parametrize("text", ["a\0b", "a\x1b[2J", "\ud800", "x" * 101, "  "])
def test_a_name_that_no_screen_or_database_can_bear_is_refused(text: str) -> None:
    assert fault_of("contact", "+8613800138000", {"name": text})


def test_a_good_entry_has_no_fault() -> None:
    assert fault_of("contact", "+8613800138000", {"name": "王 Wang", "language": "zh"}) is None
    assert fault_of("blocked", "+8610*", {"reason": "advertises\u00a0much".replace("\u00a0", " ")}) is None
    assert fault_of("blocked", "anonymous", {}) is None
