"""Who an appliance is, in its files: made once, kept from others, and judged before it is believed."""

from __future__ import annotations

import base64
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.errors import DeliveryRefused
from firmware.sync.identity import IDENTITY_FILE, IdentityFolder, claim_id
from firmware.sync.keys import DeviceKey
from tests.sync.certificates import certificate_for

_NOW = datetime(2026, 5, 1, tzinfo=UTC)


def answer(key: DeviceKey, **changes: Any) -> dict[str, Any]:
    pem = certificate_for(key.request_pem(), _NOW, _NOW + timedelta(days=90))
    return {"device": "d-1", "company": "Acme", "certificate_pem": pem, "authority_pem": "...", **changes}


def enrolled(folder: Path) -> IdentityFolder:
    made = IdentityFolder(folder)
    key = made.key_for("CODE-1")
    made.keep(answer(key), key, claim_id("CODE-1"))
    return made


def test_key_of_a_code_is_made_once_and_read_by_nobody_else(tmp_path: Path) -> None:
    folder = IdentityFolder(tmp_path / "sync")
    first = folder.key_for(" CODE-1\n")
    assert folder.key_for("CODE-1").pem() == first.pem()
    assert folder.key_for("CODE-2").pem() != first.pem()
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "sync").iterdir()} == {0o600}


def test_identity_is_there_after_a_restart(tmp_path: Path) -> None:
    assert IdentityFolder(tmp_path / "sync").load() is None
    enrolled(tmp_path / "sync")
    identity = IdentityFolder(tmp_path / "sync").load()
    assert identity is not None
    assert (identity.device, identity.company) == ("d-1", "Acme")
    assert identity.certificate.renew_from == _NOW + timedelta(days=60)
    assert "CODE-1" not in (tmp_path / "sync" / IDENTITY_FILE).read_text()


def test_key_that_is_damaged_is_made_anew_before_it_was_used(tmp_path: Path) -> None:
    folder = IdentityFolder(tmp_path)
    folder.key_for("CODE-1")
    [file] = list(tmp_path.iterdir())
    file.write_bytes(b"torn")
    assert folder.key_for("CODE-1").pem() == file.read_bytes()


@pytest.mark.parametrize(
    "changes",
    [
        {"device": "../../etc"}, {"device": None}, {"device": "a/b?c"}, {"certificate_pem": "none"},
        {"certificate_pem": None}, {"certificate_pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"},
        {"certificate_pem": "é"},
    ],
)  # fmt: skip
def test_answer_to_a_claim_that_makes_no_sense_is_not_kept(tmp_path: Path, changes: dict[str, Any]) -> None:
    folder = IdentityFolder(tmp_path)
    key = folder.key_for("CODE-1")
    with pytest.raises(DeliveryRefused, match="makes no sense"):
        folder.keep(answer(key, **changes), key, claim_id("CODE-1"))
    assert folder.load() is None


def test_certificate_of_another_key_is_not_taken(tmp_path: Path) -> None:
    folder = IdentityFolder(tmp_path)
    with pytest.raises(DeliveryRefused, match="another key"):
        folder.keep(answer(DeviceKey.made()), folder.key_for("CODE-1"), claim_id("CODE-1"))


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"claim_id": "../x"}', '{"claim_id": 5}', "[" * 50_000])
def test_damaged_files_say_what_to_do(tmp_path: Path, content: str) -> None:
    folder = enrolled(tmp_path)
    (tmp_path / IDENTITY_FILE).write_text(content, encoding="utf-8")
    with pytest.raises(DeliveryRefused, match="enrol with a new claim code"):
        folder.load()


def test_damaged_key_says_what_to_do(tmp_path: Path) -> None:
    folder = enrolled(tmp_path)
    for file in tmp_path.glob("key-*"):
        file.write_bytes(b"torn")
    with pytest.raises(DeliveryRefused, match="enrol with a new claim code"):
        folder.load()


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode()))
def test_no_bytes_are_mistaken_for_a_key(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever the library says of nonsense
        DeviceKey.read(data)


def test_certificate_of_a_kind_that_nobody_knows_makes_no_sense(tmp_path: Path) -> None:
    folder = IdentityFolder(tmp_path)
    key = folder.key_for("abcdefgh")
    lines = answer(key)["certificate_pem"].splitlines()
    der = base64.b64decode("".join(lines[1:-1]))
    # Another curve (its last arc), and another version of X.509.
    curve = der.replace(bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a8648ce3d030177"))
    version = der.replace(bytes.fromhex("a003020102"), bytes.fromhex("a003020109"), 1)
    for odd in (curve, version):
        assert odd != der
        pem = "\n".join([lines[0], base64.b64encode(odd).decode(), lines[-1], ""])
        with pytest.raises(DeliveryRefused, match="makes no sense"):
            folder.keep(answer(key, certificate_pem=pem), key, "x")
