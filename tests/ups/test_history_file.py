"""The records of power on the disk: durable, and never a reason not to start."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import StorageError
from firmware.ups.history import MOST_STARTS_COUNTED, PowerHistory
from firmware.ups.history_file import (
    HISTORY_FILE,
    PROOF_FILE,
    Proof,
    fingerprint,
    load_history,
    load_proof,
    read_boot_id,
    read_history,
    read_proof,
    save_history,
    save_proof,
)

PROOF = Proof("x728", fingerprint(b"pin = 6"), datetime(2026, 3, 1, 12, 0, tzinfo=UTC))
HISTORIES = st.builds(
    PowerHistory,
    boot_id=st.text(max_size=40),
    ended_cleanly=st.booleans(),
    tier=st.integers(0, 3),
    low_battery_shutdown=st.booleans(),
    shutdown_reason=st.text(max_size=40),
    consecutive_outage_starts=st.integers(0, MOST_STARTS_COUNTED),
)


@given(HISTORIES)
def test_a_history_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, history: PowerHistory) -> None:
    folder = tmp_path_factory.mktemp("data")
    save_history(folder, history)
    assert load_history(folder) == history


def test_a_proof_comes_back_as_it_was_and_holds_for_its_profile_alone(tmp_path: Path) -> None:
    save_proof(tmp_path, PROOF)
    found = load_proof(tmp_path)
    assert found == PROOF
    assert found.holds_for("x728", fingerprint(b"pin = 6"))
    assert not found.holds_for("x1200", fingerprint(b"pin = 6"))
    assert not found.holds_for("x728", fingerprint(b"pin = 16")), "a changed profile is unproved again"


def test_nothing_on_the_disk_is_an_appliance_that_never_ran(tmp_path: Path) -> None:
    assert load_history(tmp_path) == PowerHistory()
    assert load_proof(tmp_path) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 40,
        b"[]",
        b'{"tier": 4}',
        b'{"tier": -1}',
        b'{"tier": true}',
        b'{"tier": "2"}',
        b'{"consecutive_outage_starts": 99}',
        b'{"ended_cleanly": 0}',
        b"[" * 60_000,
        b'{"tier": ' + b"9" * 10_000 + b"}",
    ],
)
def test_a_damaged_history_counts_as_missing_and_the_journal_says_so(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / HISTORY_FILE).write_bytes(content)
    assert load_history(tmp_path) == PowerHistory()
    assert "a record of power is damaged" in "".join(capsys.readouterr())


def test_what_a_later_version_added_is_left_out(tmp_path: Path) -> None:
    (tmp_path / HISTORY_FILE).write_text('{"tier": 1, "moon": "full"}')
    assert load_history(tmp_path) == PowerHistory(tier=1)


@pytest.mark.parametrize("missing", ["profile", "fingerprint", "proved_at"])
def test_a_proof_without_one_of_its_fields_is_none(tmp_path: Path, missing: str) -> None:
    save_proof(tmp_path, PROOF)
    written = json.loads((tmp_path / PROOF_FILE).read_text())
    del written[missing]
    (tmp_path / PROOF_FILE).write_text(json.dumps(written))
    assert load_proof(tmp_path) is None


def test_a_proof_at_a_time_without_offset_is_none(tmp_path: Path) -> None:
    (tmp_path / PROOF_FILE).write_text('{"profile": "x", "fingerprint": "y", "proved_at": "2026-03-01T12:00:00"}')
    assert load_proof(tmp_path) is None


def test_a_folder_in_place_of_the_file_is_damage_too(tmp_path: Path) -> None:
    (tmp_path / HISTORY_FILE).mkdir()
    assert load_history(tmp_path) == PowerHistory()


def test_a_history_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="mend this one"):
        save_history(tmp_path / "missing", PowerHistory())


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
_NAMES = st.sampled_from(["boot_id", "tier", "ended_cleanly", "profile", "fingerprint", "proved_at", "other"])
_ANYTHING = st.binary(max_size=200) | st.dictionaries(_NAMES, _JSON).map(lambda value: json.dumps(value).encode())


@given(_ANYTHING)
def test_whatever_the_file_holds_it_is_a_record_or_a_value_error(content: bytes) -> None:
    for read in (read_history, read_proof):
        with suppress(ValueError):
            assert isinstance(read(content), PowerHistory | Proof)


def test_the_boot_has_a_name_where_the_kernel_tells_one(tmp_path: Path) -> None:
    (tmp_path / "boot_id").write_text("b2c1\n")
    assert read_boot_id(tmp_path / "boot_id") == "b2c1"
    assert read_boot_id(tmp_path / "missing") == ""
