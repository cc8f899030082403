"""docs/power.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import power_budget
from firmware.events import PowerState
from firmware.power_settings import PowerSettings

DOCUMENT = (Path(__file__).parent.parent / "docs" / "power.md").read_text(encoding="utf-8")


def test_power_budget_is_the_one_that_the_script_computes() -> None:
    assert power_budget.report() in DOCUMENT, "run: python -m benchmarks.power_budget, and put it into docs/power.md"


def test_diagram_shows_every_state_and_no_other() -> None:
    diagram = DOCUMENT.split("```mermaid")[1].split("```")[0]
    drawn = set(re.findall(r"\b[a-z_]+(?= -->)|(?<=--> )[a-z_]+", diagram))
    assert drawn == {state.value for state in PowerState}


def test_times_told_are_the_defaults() -> None:
    settings = PowerSettings()
    told = re.findall(r"^\| ([\d.]+) (s|min)", DOCUMENT, re.MULTILINE)
    seconds = [float(number) * {"s": 1, "min": 60}[unit] for number, unit in told]
    assert seconds == [
        settings.confirm_loss_seconds,
        settings.second_tier_after_seconds,
        settings.low_battery_hold_seconds,
        settings.mains_steady_seconds,
        settings.restore_after_seconds,
    ]


def test_a_worn_reference_battery_reaches_the_goal_by_shedding() -> None:
    worn = power_budget.Battery().watt_hours(worn=True)
    assert power_budget.hours(power_budget.REFERENCE, worn, shedding=False) < power_budget.GOAL_HOURS
    for parts in power_budget.INSTALLATIONS.values():
        assert power_budget.hours(parts, worn) >= power_budget.GOAL_HOURS


@pytest.mark.parametrize("watt_hours", [0.1, 1.0, 10.0])
def test_runtime_spends_exactly_what_the_battery_holds(watt_hours: float) -> None:
    parts = power_budget.REFERENCE
    hours = power_budget.hours(parts, watt_hours)
    first_hours = min(hours, PowerSettings().second_tier_after_seconds / 3600)
    spent = first_hours * power_budget.watts(parts, 1) + (hours - first_hours) * power_budget.watts(parts, 2)
    assert spent == pytest.approx(watt_hours)
