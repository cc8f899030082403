"""One telephone has many spellings; two telephones never have the same."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.storage.phone_numbers import canonical, same_number_as


@pytest.mark.parametrize(
    ("country", "spellings"),
    [
        ("CN", ["+8613800138000", "8613800138000", "13800138000", "008613800138000", "138 0013 8000", "013800138000"]),
        ("CN", ["02187654321", "+862187654321", "00862187654321", "(021) 8765-4321"]),
        ("CN", ["+442079460958", "00442079460958"]),
        ("GB", ["02079460958", "+442079460958", "442079460958", "00442079460958"]),
        ("US", ["2125550123", "12125550123", "+12125550123", "01112125550123"]),
    ],
)
def test_every_spelling_is_the_same_telephone(country: str, spellings: list[str]) -> None:
    for one in spellings:
        assert all(same_number_as(one, country)(other) for other in spellings), one


@pytest.mark.parametrize(
    ("country", "one", "other"),
    [
        ("CN", "13800138000", "13800138001"),
        ("CN", "02187654321", "01087654321"),  # the same number in Shanghai and in Beijing
        ("CN", "8001", "+868001"),  # an extension is nobody's number outside
        ("CN", "8001", "08001"),
        ("CN", "110", "119"),
        ("GB", "13800138000", "+8613800138000"),
        ("CN", "anonymous", ""),
    ],
)
def test_other_telephones_are_others(country: str, one: str, other: str) -> None:
    assert not same_number_as(one, country)(other)


@given(number=st.text(max_size=64), other=st.text(max_size=64), country=st.sampled_from(["CN", "GB", "US", "ZZ"]))
def test_any_text_is_itself_and_telling_is_mutual(number: str, other: str, country: str) -> None:
    assert same_number_as(number, country)(number)
    assert same_number_as(number, country)(other) == same_number_as(other, country)(number)
    assert canonical(canonical(number, country), country) == canonical(number, country)


def test_no_service_loads_the_tables_of_all_countries() -> None:
    services = "firmware.services.run, firmware.services.calls, firmware.services.power, firmware.services.backups"
    code = f"import sys, {services}; sys.exit('phonenumbers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
