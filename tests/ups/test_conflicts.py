"""Mistakes in the power section that no single entry shows are told before anything is switched, with both names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from firmware.power_settings import PowerSettings
from firmware.ups.loads.known_units import unit_problems
from firmware.ups.profile_reader import profiles
from firmware.ups.sources import power_problems

COOLING = {"name": "cooling", "kind": "relay", "pin": 22}
FIRE = {"name": "fire", "pin": 22}


def told(lines: list[str] | None = None, /, **power: Any) -> list[str]:
    settings = PowerSettings.model_validate(power, strict=False)
    return [problem.text.removeprefix("power: ") for problem in power_problems(settings, lines)]


@pytest.mark.parametrize(
    ("power", "users"),
    [
        ({"loads": [COOLING], "contacts": [FIRE]}, "the load cooling and the contact fire"),
        ({"loads": [COOLING, {**COOLING, "name": "light"}]}, "the load cooling and the load light"),
        ({"loads": [COOLING], "lamps": {"fault": 22}}, "the load cooling and the lamp fault"),
        ({"lamps": {"fault": 22, "line": 22}}, "the lamp line and the lamp fault"),
        ({"contacts": [FIRE], "lamps": {"line": 22}}, "the contact fire and the lamp line"),
        ({"profile": "x1200", "loads": [{**COOLING, "pin": 6}]}, "the UPS x1200 (mains) and the load cooling"),
        ({"profile": "x1200", "contacts": [{**FIRE, "pin": 3}]}, "the UPS x1200 (I2C) and the contact fire"),
    ],
)
def test_pin_with_two_users_is_told_with_both(power: dict[str, Any], users: str) -> None:
    (sentence,) = told(**power)
    assert sentence.startswith("GPIO ")
    assert f"is used by {users};" in sentence


def test_every_pin_of_every_shipped_profile_is_its_own() -> None:
    for profile in profiles():
        assert told(profile=profile, loads=[]) == []


def test_pins_that_are_not_used_are_free() -> None:
    assert told(profile="bench", socket="/b", loads=[COOLING], contacts=[FIRE]) == []
    assert told(profile="none", loads=[COOLING], contacts=[{**FIRE, "pin": 21}], lamps={"line": 6}) == []


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ({"kind": "speech"}, "the speech"),
        ({"kind": "unit", "unit": "web.service"}, "web.service"),
        ({"kind": "radio", "device": "wifi"}, "the radio wifi"),
        ({"kind": "usb_port", "hub": "1-1", "port": 2}, "port 2 of hub 1-1"),
    ],
)
def test_a_thing_that_two_loads_switch_is_told_with_both(kind: dict[str, Any], what: str) -> None:
    (sentence,) = told(loads=[{"name": "one", **kind, "tier": 1}, {"name": "two", **kind, "tier": 2}])
    assert sentence == f"the loads one and two both switch {what}; leave one of them out"


def test_a_line_that_there_is_not_is_told_with_the_one_that_was_meant() -> None:
    load = {"name": "modem", "kind": "usb_port", "hub": "1-1", "port": 2, "line": "bakc"}
    assert told(["front", "back"], loads=[load]) == [
        'the load modem names the line "bakc", which there is not (did you mean "back"?)'
    ]
    assert told(["front", "back"], loads=[{**load, "line": "back"}]) == []


@pytest.mark.parametrize("unit", ["linekeeper-calls.service", "linekeeper-power.service", "linekeeper.target"])
def test_what_answers_calls_is_no_load(unit: str) -> None:
    (sentence,) = told(loads=[{"name": "all", "kind": "unit", "unit": unit}])
    assert f"the load all would stop {unit}" in sentence


def test_a_command_of_no_words_is_refused() -> None:
    with pytest.raises(ValidationError):
        PowerSettings(off_command=())


def _systemctl(folder: Path, script: str) -> str:
    program = folder / "systemctl"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


def test_a_unit_that_systemd_does_not_know_is_told(tmp_path: Path) -> None:
    units = [{"name": name, "kind": "unit", "unit": f"{name}.service"} for name in ("web", "wbe")]
    settings = PowerSettings.model_validate({"loads": units}, strict=False)
    knows_web = _systemctl(tmp_path, 'case "$5" in web.service) echo loaded;; *) echo not-found;; esac')
    (problem,) = unit_problems(settings, knows_web)
    assert "the load wbe names wbe.service" in problem.text
    broken = _systemctl(tmp_path, "echo not-found; exit 1")
    assert unit_problems(settings, broken) == []
    assert unit_problems(settings, "/no/such/systemctl") == []
