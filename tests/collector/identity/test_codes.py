from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collector.identity.codes import code_hash, new_code


def test_a_code_is_found_however_it_is_typed() -> None:
    code = new_code()
    assert len(code) == 23
    mistyped = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert code_hash(mistyped) == code_hash(code) is not None


def test_codes_differ() -> None:
    assert len({new_code() for _ in range(100)}) == 100


@given(st.text(max_size=80))
def test_whatever_is_typed_is_a_code_or_none(text: str) -> None:
    hashed = code_hash(text)
    assert hashed is None or len(hashed) == 32
