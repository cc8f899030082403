from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.uplink_contract.canonical import body_hash, canonical_json
from firmware.uplink_contract.signing import SignedRequest, signed_bytes

_words = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20)
_requests = st.builds(SignedRequest, _words, _words, st.integers(), _words, _words)


@given(_requests, _requests)
def test_two_requests_never_share_what_is_signed(one: SignedRequest, other: SignedRequest) -> None:
    assert (signed_bytes(one) == signed_bytes(other)) == (one == other)


@given(_requests, st.sampled_from(["method", "target", "nonce", "digest"]))
def test_a_line_break_cannot_move_a_word_into_another_field(request_: SignedRequest, field: str) -> None:
    broken: Any = {field: "a\nb"}
    with pytest.raises(ValueError, match="line break"):
        signed_bytes(dataclasses.replace(request_, **broken))


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_words, inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(_words, _values, max_size=5))
def test_a_record_has_the_same_hash_in_whatever_order_its_fields_come(body: dict[str, object]) -> None:
    assert body_hash(body) == body_hash(dict(reversed(body.items())))


def test_what_no_json_can_hold_is_refused() -> None:
    for value in (float("nan"), float("inf"), "\ud800"):
        with pytest.raises(ValueError, match=r".+"):
            canonical_json({"value": value})
