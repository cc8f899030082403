from __future__ import annotations

from pathlib import Path

import pytest

from firmware.errors import StorageError
from firmware.services.appliance_card import appliance_card
from firmware.settings import Settings, parse_settings


def settings(tmp_path: Path) -> Settings:
    text = f"data_dir: {tmp_path}/data\nrun_dir: {tmp_path}/run\nlines: [{{name: a, port: /dev/none}}]\n"
    return parse_settings("linekeeper.yaml", text)


def test_an_appliance_has_one_id_for_good(tmp_path: Path) -> None:
    first = appliance_card(settings(tmp_path))
    assert appliance_card(settings(tmp_path)) == first
    assert first.name
    assert first.version


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"../../etc", b"a b"])
def test_a_damaged_id_is_replaced_once(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "data" / "sync" / "appliance-id"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    assert appliance_card(settings(tmp_path)).device == file.read_text().strip() != content.decode("latin-1")


def test_a_disk_that_takes_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(StorageError):
        appliance_card(settings(tmp_path))
