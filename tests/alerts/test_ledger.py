from __future__ import annotations

import json
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware.alerts.ledger import Ledger, Place

PLACE = Place("a", 0, "e-mail")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


def test_what_was_saved_is_there_after_a_restart(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "sync" / "alerts.json")
    ledger.load()
    ledger.note(PLACE, "began", ["anna"])
    ledger.hold(1, {"id": "b", "kind": "power", "place": "mains"}, "2026")
    ledger.write(ledger.content())
    again = Ledger(tmp_path / "sync" / "alerts.json")
    again.load()
    assert again.who(PLACE, "began") == {"anna"}
    assert again.held()["1"]["incidents"][0]["id"] == "b"


def test_it_does_not_grow_for_ever(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "alerts.json")
    for at in range(1500):
        ledger.note(Place(str(at), 0, "e-mail"), "began", ["anna"])
        ledger.hold(0, {"id": str(at), "kind": "power", "place": "mains"}, "2026")
    ledger.write(ledger.content())
    assert ledger.who(Place("1499", 0, "e-mail"), "began") == {"anna"}
    assert ledger.who(Place("0", 0, "e-mail"), "began") == set()
    assert (len(ledger.held()["0"]["incidents"]), ledger.held()["0"]["more"]) == (200, 1300)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary(max_size=30)
    | json_values.map(lambda value: json.dumps(value).encode())
    | st.fixed_dictionaries(dict.fromkeys(("told", "ended", "lately", "held"), json_values)).map(
        lambda value: json.dumps(value).encode()
    )
)
def test_a_damaged_file_counts_as_none(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "alerts.json"
    file.write_bytes(content)
    ledger = Ledger(file)
    ledger.load()
    ledger.note(PLACE, "began", ["anna"])
    ledger.hold(0, {"id": "b", "kind": "power", "place": "mains"}, "2026")
    ledger.write(ledger.content())
    assert "anna" in ledger.who(PLACE, "began")


def test_what_a_wrong_clock_told_in_the_future_does_not_count(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "alerts.json")
    ledger.note_told("fault", "2030-01-01T00:00:00.000+00:00")
    ledger.note_told("fault", "2026-03-01T07:30:00.000+00:00")
    since, now = "2026-03-01T07:00:00.000+00:00", "2026-03-01T08:00:00.000+00:00"
    assert ledger.lately("fault", since, now) == ["2026-03-01T07:30:00.000+00:00"]
