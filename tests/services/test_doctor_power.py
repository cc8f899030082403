"""What a technician reads about power."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from firmware.services.doctor_power import examine_power, power_findings
from firmware.settings import parse_settings

_GOOD: dict[str, Any] = {
    "state": "on_mains",
    "reason": "mains is there",
    "profile": "x728",
    "proved": True,
    "battery_percent": 87.4,
    "loads": [{"load": "cooling", "shed": False, "fault": None}],
    "contacts": {"fire": False},
}


def told(status: dict[str, Any]) -> dict[str, tuple[bool, str]]:
    return {found.subject: (found.good, found.sentence) for found in power_findings(status, "Geekworm X728")}


def test_all_good_is_told_with_figures() -> None:
    assert told(_GOOD) == {
        "power": (True, "on mains: mains is there, battery 87 %"),
        "UPS": (True, "Geekworm X728; proved by a pulled plug"),
        "load cooling": (True, "works"),
        "contact fire": (True, "at rest"),
    }


def test_everything_that_is_wrong_says_what_to_do() -> None:
    loads = [{"load": "cooling", "shed": True, "fault": "load cooling: GPIO 22 is busy"}]
    wrong = {"state": "on_battery", "proved": False, "loads": loads, "contacts": {"fire": True}}
    found = told(_GOOD | wrong)
    assert not any(good for good, _ in found.values())
    assert "linekeeper power prove" in found["UPS"][1]
    assert found["load cooling"][1] == "load cooling: GPIO 22 is busy"
    assert found["contact fire"][1] == "in alarm"


def test_no_ups_is_no_fault_and_says_how_to_name_one() -> None:
    good, sentence = told(_GOOD | {"profile": "none", "loads": [], "contacts": {}})["power"]
    assert good
    assert "power: {profile" in sentence


def test_a_service_that_does_not_run_and_a_wrong_profile_are_told(tmp_path: Path) -> None:
    text = f"data_dir: {tmp_path}\nrun_dir: {tmp_path}\nlines: [{{name: a, port: auto}}]\npower: {{profile: %s}}\n"
    (stopped,) = (f for f in examine_power(parse_settings("t", text % "x728")) if f.subject == "power")
    assert (stopped.good, "linekeeper run" in stopped.sentence) == (False, True)
    (unknown,) = (f for f in examine_power(parse_settings("t", text % "x729")) if f.subject == "UPS")
    assert (unknown.good, "x728" in unknown.sentence) == (False, True)
