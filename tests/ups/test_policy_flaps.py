"""Mains that flaps, as pins of either polarity tell it, from 3 ms to 3 s and beyond."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.events import PowerState
from firmware.ports import PowerReading
from firmware.power_settings import PowerSettings
from firmware.ups.decisions import BatteryLow, MainsLost, RestoreLoads, ShedTo
from tests.ups.power_trace import Run, mains_of, new_run

SETTINGS = PowerSettings()
THERE, AWAY = PowerReading(mains=True), PowerReading(mains=False)
TEN_MINUTES = 600.0


def levels(away_seconds: float, there_seconds: float, lost_level: str) -> list[tuple[float, str]]:
    """What the pin shows during ten minutes of flapping: times and levels."""
    there_level = "low" if lost_level == "high" else "high"
    shown: list[tuple[float, str]] = []
    at_seconds = 10.0
    while at_seconds < 10.0 + TEN_MINUTES:
        shown += [(at_seconds, lost_level), (at_seconds + away_seconds, there_level)]
        at_seconds += away_seconds + there_seconds
    return shown


def flap(away_seconds: float, there_seconds: float, lost_level: str, settings: PowerSettings = SETTINGS) -> Run:
    """Ten minutes of it, then ten minutes of mains."""
    run = new_run(settings)
    run.hear(THERE, 0.0)
    told = THERE
    for at_seconds, level in levels(away_seconds, there_seconds, lost_level):
        run.hold(told, at_seconds)
        told = PowerReading(mains=mains_of(level, lost_level))
    run.hold(told, 1300.0)
    return run


@pytest.mark.parametrize("lost_level", ["high", "low"])
@pytest.mark.parametrize("away_seconds", [0.003, 0.01, 0.05, 0.1, 0.25, 0.29])
def test_flaps_shorter_than_the_confirmation_change_nothing(away_seconds: float, lost_level: str) -> None:
    run = flap(away_seconds, there_seconds=2.0, lost_level=lost_level)
    assert run.names() == ["RestoreLoads"]
    assert run.policy.state is PowerState.ON_MAINS


@pytest.mark.parametrize("lost_level", ["high", "low"])
@pytest.mark.parametrize("away_seconds", [0.31, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("there_seconds", [0.5, 10.0, 20.0, 100.0])
def test_ten_minutes_of_flapping_switch_loads_once_each_way(
    away_seconds: float, there_seconds: float, lost_level: str
) -> None:
    run = flap(away_seconds, there_seconds, lost_level)
    assert [name for name in run.names() if name.startswith(("ShedTo", "Restore"))] == [
        "RestoreLoads",
        "ShedTo 1",
        "RestoreLoads",
    ]
    last_return = levels(away_seconds, there_seconds, lost_level)[-1][0]
    assert run.times_of(RestoreLoads)[-1] == pytest.approx(last_return + SETTINGS.restore_after_seconds)


def test_a_pin_that_chatters_while_mains_is_away_is_an_outage() -> None:
    settings = PowerSettings(second_tier_after_seconds=590.0)
    run = flap(away_seconds=0.2, there_seconds=0.1, lost_level="high", settings=settings)
    assert run.times_of(MainsLost)[0] < 12.0
    assert "ShedTo 2" in run.names(), "all of that time counts as time without mains"


@pytest.mark.parametrize("cut_seconds", [0.301, 1.0, 3.0])
def test_loss_is_seen_within_a_second(cut_seconds: float) -> None:
    run = new_run()
    run.hold(THERE, 10.0)
    run.hold(AWAY, 10.0 + cut_seconds)
    assert run.times_of(ShedTo) == [pytest.approx(10.3)]


@given(st.lists(st.tuples(st.floats(0.001, 200), st.floats(0.001, 200)), min_size=1, max_size=30))
def test_loads_never_come_back_within_two_minutes_of_a_loss(phases: list[tuple[float, float]]) -> None:
    run = new_run()
    for away_seconds, there_seconds in phases:
        run.hold(AWAY, run.now_seconds + away_seconds, every_seconds=5.0)
        run.hold(THERE, run.now_seconds + there_seconds, every_seconds=5.0)
    switched = [(at, decision) for at, decision in run.told if isinstance(decision, ShedTo | RestoreLoads)]
    for (first_at, first), (second_at, second) in pairwise(switched):
        assert type(first) is not RestoreLoads or type(second) is not RestoreLoads
        if isinstance(first, ShedTo) and isinstance(second, RestoreLoads):
            assert second_at - first_at >= SETTINGS.restore_after_seconds


@given(st.lists(st.tuples(st.booleans(), st.floats(0.001, 300)), max_size=30))
def test_a_battery_of_which_nothing_is_told_is_never_low(phases: list[tuple[bool, float]]) -> None:
    run = new_run()
    for there, seconds in phases:
        run.hold(replace(AWAY, mains=there), run.now_seconds + seconds)
    assert run.times_of(BatteryLow) == []
