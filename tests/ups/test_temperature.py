from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.ups.temperature import Throttling, parse_throttled, read_temperature, read_throttling


def zone(folder: Path, number: int, kind: str, text: str) -> None:
    place = folder / f"thermal_zone{number}"
    place.mkdir()
    (place / "type").write_text(f"{kind}\n")
    (place / "temp").write_text(f"{text}\n")


def test_the_processor_counts_where_one_says_which_it_is(tmp_path: Path) -> None:
    zone(tmp_path, 0, "cpu-thermal", "48312")
    zone(tmp_path, 1, "rp1_adc", "61000")
    assert read_temperature(tmp_path) == 48.312


def test_the_hottest_zone_counts_where_none_says(tmp_path: Path) -> None:
    zone(tmp_path, 0, "acpitz", "48000")
    zone(tmp_path, 1, "other", "61500")
    assert read_temperature(tmp_path) == 61.5


@pytest.mark.parametrize("text", ["", "hot", "-274000", "999999"])
def test_a_zone_that_tells_nonsense_is_left_out(tmp_path: Path, text: str) -> None:
    zone(tmp_path, 0, "cpu-thermal", text)
    assert read_temperature(tmp_path) is None
    zone(tmp_path, 1, "other", "40000")
    assert read_temperature(tmp_path) == 40.0


def test_a_machine_that_tells_nothing(tmp_path: Path) -> None:
    assert read_temperature(tmp_path / "none") is None
    assert read_throttling(str(tmp_path / "vcgencmd")) is None


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("throttled=0x0\n", Throttling(False, False, False)),
        ("throttled=0x50000\n", Throttling(False, False, False)),
        ("throttled=0x50005\n", Throttling(True, True, False)),
        ("throttled=0x8\n", Throttling(False, False, True)),
        ("VCHI initialization failed\n", None),
        ("", None),
    ],
)
def test_the_firmware_tells_of_now(tmp_path: Path, answer: str, told: Throttling | None) -> None:
    program = tmp_path / "vcgencmd"
    program.write_text(f"#!/bin/sh\nprintf '{answer}'\n")
    program.chmod(0o755)
    assert read_throttling(str(program)) == told


@given(st.text())
def test_no_answer_does_harm(answer: str) -> None:
    assert parse_throttled(answer) is None or answer.startswith("throttled=0x")
