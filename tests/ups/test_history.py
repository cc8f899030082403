"""What one run leaves to the next, and how the next one begins with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from firmware.events import PowerState
from firmware.ports import PowerReading
from firmware.ups.history import MOST_STARTS_COUNTED, PowerHistory, Start
from tests.ups.power_trace import Run, new_run

RUNNING = PowerHistory(boot_id="a", ended_cleanly=False)
SHUT_DOWN = replace(RUNNING, tier=3, low_battery_shutdown=True, shutdown_reason="low")


@pytest.mark.parametrize(
    ("history", "boot_id", "start"),
    [
        (PowerHistory(), "a", Start.ORDINARY),
        (RUNNING, "a", Start.RESUMED),
        (RUNNING, "b", Start.ORDINARY),
        (replace(RUNNING, tier=2), "b", Start.EMPTY),
        (replace(RUNNING, tier=2).ended(), "b", Start.ORDINARY),
        (replace(RUNNING, tier=2).ended(), "a", Start.RESUMED),
        (replace(RUNNING, tier=2), "", Start.EMPTY),
        (replace(RUNNING, boot_id=""), "", Start.ORDINARY),
        (SHUT_DOWN, "a", Start.RESUMED),
        (SHUT_DOWN.ended(), "a", Start.EMPTY),
        (SHUT_DOWN, "b", Start.EMPTY),
        (SHUT_DOWN.ended(), "b", Start.EMPTY),
    ],
)
def test_kind_of_start_follows_from_how_the_last_run_ended(history: PowerHistory, boot_id: str, start: Start) -> None:
    assert history.start_in(boot_id) is start


def begin(history: PowerHistory, boot_id: str) -> PowerHistory:
    return history.begun(boot_id, history.start_in(boot_id))


def test_starts_from_an_empty_battery_are_counted_one_by_one() -> None:
    history, counts = SHUT_DOWN, []
    for boot in "bcd":
        history = begin(history, boot)
        counts.append(history.consecutive_outage_starts)
    assert counts == [1, 2, 3]


def test_a_restart_by_hand_while_the_gate_is_closed_is_not_counted() -> None:
    history = begin(SHUT_DOWN, "b")
    again = begin(history.ended(), "c")
    assert again.consecutive_outage_starts == history.consecutive_outage_starts == 1
    assert again.low_battery_shutdown, "the gate stays closed"


def test_the_count_has_an_end() -> None:
    history = replace(SHUT_DOWN, consecutive_outage_starts=MOST_STARTS_COUNTED)
    assert begin(history, "b").consecutive_outage_starts == MOST_STARTS_COUNTED


def run_after(history: PowerHistory) -> Run:
    run = new_run(history=history)
    run.hold(PowerReading(True), 700.0)
    assert run.policy.state is PowerState.ON_MAINS
    return run


def test_an_hour_of_mains_makes_the_next_start_the_first_again() -> None:
    run = run_after(SHUT_DOWN)
    assert run.policy.history.consecutive_outage_starts == 1
    run.hold(PowerReading(True), 3599.0)
    assert run.policy.history.consecutive_outage_starts == 1
    run.hold(PowerReading(True), 3601.0)
    assert run.policy.history == PowerHistory(boot_id="this boot", ended_cleanly=False)


def test_an_outage_within_the_hour_leaves_the_count() -> None:
    run = run_after(SHUT_DOWN)
    run.hold(PowerReading(True), 3000.0)
    run.hold(PowerReading(False), 3010.0)
    run.hold(PowerReading(True), 6000.0)
    assert run.policy.history.consecutive_outage_starts == 1


def test_a_shutdown_is_in_the_history_together_with_its_decision() -> None:
    run = new_run()
    run.hold(PowerReading(False, battery_low=True), 20.0)
    assert not run.policy.history.low_battery_shutdown
    run.hold(PowerReading(False, battery_low=True), 23.0)
    assert run.names()[-1] == "ShutDown"
    assert run.policy.history.low_battery_shutdown
    assert run.policy.history.shutdown_reason == run.policy.reason
