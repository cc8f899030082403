from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from firmware.storage.outbox_fit import SHORTENED, fitted
from firmware.uplink_contract.canonical import canonical_json

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
_PARTS = st.lists(st.fixed_dictionaries({"at": _TEXT, "action": _TEXT}), max_size=60)


@given(st.dictionaries(st.sampled_from(["path", "transcript", "actions", "summary"]), _TEXT | _PARTS))
def test_a_body_is_cut_until_it_fits_and_says_what_was_cut(body: dict[str, object]) -> None:
    whole = len(canonical_json(body))
    short, size = fitted(body, 2000)
    assert size == len(canonical_json(short)) <= 2000
    assert (SHORTENED in short) is (whole > 2000)
    assert fitted(body, 2000) == (short, size)
    assert {name for name in body if short[name] != body[name]} == set(short.get(SHORTENED, ()))


def test_a_long_list_keeps_its_beginning_and_its_end() -> None:
    body, _ = fitted({"actions": [f"{number:090}" for number in range(200)]}, 6000)
    numbers = [int(action) for action in body["actions"]]
    assert numbers[:20] == list(range(20))
    assert numbers[20:] == list(range(200 - len(numbers) + 20, 200))
