"""The power service is started again in the middle of an outage: its seconds go on counting."""

from __future__ import annotations

import pytest

from firmware.events import PowerState
from firmware.ports import PowerReading
from firmware.power_settings import PowerSettings
from firmware.ups.decisions import BatteryLow, MainsBack
from firmware.ups.history import PowerHistory
from firmware.ups.policy import PowerPolicy
from tests.ups.power_trace import Run

MAINS, BATTERY = PowerReading(mains=True), PowerReading(mains=False)


def begin(settings: PowerSettings, history: PowerHistory, now_seconds: float, boot: str = "one") -> Run:
    return Run(PowerPolicy(settings, history, now_seconds, boot_id=boot), now_seconds)


def lost_at(seconds: float, settings: PowerSettings) -> Run:
    run = begin(settings, PowerHistory(), 0.0)
    run.hold(MAINS, seconds)
    run.hold(BATTERY, seconds + 10.0)
    assert run.policy.state is PowerState.ON_BATTERY
    return run


@pytest.mark.parametrize("every_seconds", [50.0, 299.0])
def test_a_service_that_is_started_again_and_again_sheds_the_second_tier_in_time(every_seconds: float) -> None:
    settings = PowerSettings()
    run = lost_at(100.0, settings)
    while run.now_seconds < 697.0:
        run = begin(settings, run.policy.history, run.now_seconds)
        run.hold(BATTERY, min(run.now_seconds + every_seconds, 698.0))
        assert run.policy.tier == 1
    run = begin(settings, run.policy.history, run.now_seconds)
    run.hold(BATTERY, 702.0)
    assert run.policy.tier == 2
    assert run.policy.on_battery_seconds == pytest.approx(602.0, abs=1.0)


def test_a_battery_that_tells_nothing_is_used_for_its_budget_and_not_longer() -> None:
    settings = PowerSettings(battery_budget_seconds=3600.0)
    run = lost_at(100.0, settings)
    for restart in (1000.0, 2000.0, 3000.0):
        run.hold(BATTERY, restart)
        run = begin(settings, run.policy.history, run.now_seconds)
    run.hold(BATTERY, 3703.0)
    (low,) = [at for at, decision in run.told if isinstance(decision, BatteryLow)]
    assert low == pytest.approx(3700.0, abs=1.0)


def test_mains_that_comes_back_after_a_restart_was_away_from_its_loss_on() -> None:
    run = lost_at(100.0, PowerSettings())
    run = begin(PowerSettings(), run.policy.history, 400.0)
    run.hold(BATTERY, 500.0)
    run.hold(MAINS, 600.0)
    (back,) = [decision for _, decision in run.told if isinstance(decision, MainsBack)]
    assert back.outage_seconds == pytest.approx(400.0, abs=1.0)
    assert run.policy.history.outage_began_seconds == 0.0


def test_another_boot_has_another_clock() -> None:
    run = lost_at(100.0, PowerSettings())
    later = begin(PowerSettings(), run.policy.history, 20.0, boot="two")
    later.hold(BATTERY, 30.0)
    assert later.policy.on_battery_seconds < 11.0
