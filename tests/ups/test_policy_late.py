"""Calls that come late, as after a stall of the whole machine: nothing runs through several waits at once."""

from __future__ import annotations

from firmware.events import PowerState
from firmware.ports import PowerReading
from firmware.power_settings import PowerSettings
from tests.ups.power_trace import Run, new_run

THERE, AWAY, LOW = PowerReading(True), PowerReading(False), PowerReading(False, battery_low=True)
A_DAY = 86_400.0


def on_battery() -> Run:
    run = new_run()
    run.hold(THERE, 10.0)
    run.hold(AWAY, 20.0)
    run.told.clear()
    return run


def late(run: Run, at_seconds: float) -> list[str]:
    """Serve nothing until then, then once."""
    run.now_seconds = at_seconds
    run.told.clear()
    run.note(run.policy.passed(at_seconds))
    assert run.policy.passed(at_seconds) == [], "one call settles everything"
    return run.names()


def test_a_late_call_on_battery_begins_the_hold_and_does_not_end_it() -> None:
    run = on_battery()
    assert late(run, A_DAY) == ["SourceSilent", "BatteryLow", "ShedTo 3"]
    run.hold(THERE, A_DAY + 16.0)
    assert run.names()[-3:] == ["SourceBack", "BatteryLowOver", "MainsBack"]


def test_each_late_call_goes_one_step_down_and_no_further() -> None:
    run = on_battery()
    run.hold(LOW, 25.0)
    assert run.policy.state is PowerState.LOW_BATTERY
    assert late(run, 10_000.0) == ["SourceSilent", "ShutDown"]
    assert late(run, 20_000.0) == ["PowerOff"]
    assert late(run, 30_000.0) == ["Reboot"]  # nothing is known of mains, and there is power
    assert late(run, 40_000.0) == []


def test_a_late_reading_of_mains_after_a_stall_does_not_prove_it_steady() -> None:
    run = on_battery()
    run.note(run.policy.heard(THERE, A_DAY))
    assert run.names() == []
    run.now_seconds = A_DAY
    run.hold(THERE, A_DAY + 200.0)
    assert run.lines() == [f"{A_DAY + 15:g} MainsBack", f"{A_DAY + 120:g} RestoreLoads"]


def test_two_readings_of_mains_far_apart_do_not_prove_it_steady_between_them() -> None:
    run = on_battery()
    run.hear(THERE, 30.0)
    run.told.clear()
    run.note(run.policy.heard(THERE, 30.0 + A_DAY))
    assert run.names() == []


def test_a_stall_on_mains_is_told_as_silence_and_nothing_else() -> None:
    run = new_run()
    run.hold(THERE, 10.0)
    assert late(run, A_DAY) == ["SourceSilent"]
    assert run.policy.state is PowerState.ON_MAINS
    assert run.policy.mains is None


def test_seconds_of_a_stall_do_not_count_as_seconds_without_mains() -> None:
    run = on_battery()
    run.note(run.policy.heard(AWAY, 5000.0))
    assert "ShedTo 2" not in run.names()
    assert run.policy.on_battery_seconds < 10.0 + PowerSettings().dead_after_seconds


def test_a_clock_that_stands_still_is_no_harm() -> None:
    run = new_run()
    for reading in (THERE, AWAY, THERE, LOW, LOW):
        run.note(run.policy.heard(reading, 0.0))
    assert run.names() == ["RestoreLoads"]
