"""What holds for every course of events, restarts of the service and of the machine included."""

from __future__ import annotations

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from firmware.events import PowerState
from firmware.ports import PowerReading
from firmware.power_settings import PowerSettings
from firmware.ups.decisions import (
    BatteryLow,
    BatteryLowOver,
    Decision,
    MainsBack,
    MainsLost,
    PowerOff,
    Reboot,
    RestoreLoads,
    ShedTo,
    ShutDown,
)
from firmware.ups.history import PowerHistory
from firmware.ups.policy import PowerPolicy

SECONDS = st.one_of(st.floats(0, 0.5), st.floats(0, 30), st.floats(0, 1000), st.sampled_from([0.3, 2.0, 15.0, 20.0]))
READINGS = st.builds(
    PowerReading,
    mains=st.sampled_from([True, True, False, False, None]),
    battery_low=st.sampled_from([None, False, True]),
    battery_percent=st.one_of(st.none(), st.floats(0, 100), st.floats(9, 16)),
    runtime_seconds=st.one_of(st.none(), st.floats(0, 10_000)),
    replace_battery=st.booleans(),
)
SETTINGS = st.builds(
    PowerSettings,
    battery_budget_seconds=st.one_of(st.none(), st.floats(30, 2000)),
    dead_after_seconds=st.sampled_from([2.0, 15.0, 300.0]),
    confirm_loss_seconds=st.sampled_from([0.05, 0.3, 10.0]),
    confirm_low_seconds=st.sampled_from([0.0, 2.0]),
    charge_gate_seconds=st.sampled_from([0.0, 600.0]),
)
AFTER_THE_DECISION = (MainsLost, MainsBack, ShedTo, RestoreLoads, BatteryLow, BatteryLowOver, ShutDown)


class PolicyMachine(RuleBasedStateMachine):
    """Calls the policy in every order, and checks each decision against what came before it."""

    @initialize(settings=SETTINGS)
    def start(self, settings: PowerSettings) -> None:
        self.settings = settings
        self.now_seconds = 0.0
        self.boot = 0
        self._start_run(PowerHistory())

    def _start_run(self, history: PowerHistory) -> None:
        self.policy = PowerPolicy(self.settings, history, self.now_seconds, boot_id=f"boot {self.boot}")
        self.started_at = self.now_seconds
        self.past: list[Decision] = []
        self.there_since: float | None = None
        self.last_shed_at = -1e9
        self._take(self.policy.passed(self.now_seconds))

    @rule(reading=READINGS, seconds=SECONDS)
    def hear(self, reading: PowerReading, seconds: float) -> None:
        self._serve(seconds)
        if reading.mains is False:
            self.there_since = None
        elif reading.mains and self.there_since is None:
            self.there_since = self.now_seconds
        self._take(self.policy.heard(reading, self.now_seconds))

    @rule(mains=st.booleans(), times=st.integers(1, 200))
    def hear_the_same_each_second(self, mains: bool, times: int) -> None:
        for _ in range(times):
            self.hear(PowerReading(mains), 1.0)

    @rule(seconds=SECONDS)
    def time_goes_by(self, seconds: float) -> None:
        self._serve(seconds)

    @rule(seconds=SECONDS)
    def stall(self, seconds: float) -> None:
        self.now_seconds += seconds
        self.there_since = self.there_since and self.now_seconds
        self._take(self.policy.passed(self.now_seconds))

    @rule()
    def source_is_lost(self) -> None:
        self._take(self.policy.source_lost("the cable is off", self.now_seconds))

    @rule()
    def callers_are_gone(self) -> None:
        self._take(self.policy.callers_gone(self.now_seconds))

    @rule(cleanly=st.booleans(), reboot=st.booleans())
    def start_again(self, cleanly: bool, reboot: bool) -> None:
        latched = self.policy.state is PowerState.SHUTTING_DOWN
        self.boot += reboot
        self._start_run(self.policy.history.ended() if cleanly else self.policy.history)
        if latched and not cleanly and not reboot:
            assert self.policy.state is PowerState.SHUTTING_DOWN, "a crash must not undo the decision"

    @invariant()
    def tier_and_state_agree(self) -> None:
        if self.policy.state in (PowerState.LOW_BATTERY, PowerState.SHUTTING_DOWN):
            assert self.policy.tier == 3
        elif self.policy.state is PowerState.ON_MAINS:
            assert self.policy.tier == 0
        elif self.policy.state in (PowerState.ON_BATTERY, PowerState.RECOVERING):
            assert self.policy.tier >= 1

    def _serve(self, seconds: float) -> None:
        until_seconds = self.now_seconds + seconds
        while (deadline := self.policy.next_deadline()) is not None and deadline <= until_seconds:
            self.now_seconds = max(self.now_seconds, deadline)
            self._take(self.policy.passed(self.now_seconds))
        self.now_seconds = until_seconds

    def _take(self, decisions: list[Decision]) -> None:
        for decision in decisions:
            self._judge(decision)
            self.past.append(decision)
        assert self.policy.passed(self.now_seconds) == [], "a fixpoint was reached"
        deadline = self.policy.next_deadline()
        assert deadline is None or deadline > self.now_seconds

    def _judge(self, decision: Decision) -> None:
        before = [type(earlier) for earlier in self.past]
        if isinstance(decision, PowerOff):
            assert ShutDown in before
            assert PowerOff not in before
        if isinstance(decision, Reboot):
            assert PowerOff in before
        if ShutDown in before:
            assert not isinstance(decision, AFTER_THE_DECISION)
        if isinstance(decision, ShedTo):
            assert not self._is_steady() or not self.past or self.now_seconds == self.started_at
            self.last_shed_at = self.now_seconds
        if isinstance(decision, RestoreLoads) and self.policy.state is not PowerState.UNKNOWN:
            # A loss is acted upon until the return is confirmed, and the two minutes count from the return itself.
            apart_seconds = self.settings.restore_after_seconds - self.settings.confirm_loss_seconds
            assert self.now_seconds >= self.last_shed_at + apart_seconds - 1e-6

    def _is_steady(self) -> bool:
        steady_seconds = self.settings.mains_steady_seconds + self.settings.confirm_loss_seconds
        return self.there_since is not None and self.now_seconds - self.there_since > steady_seconds


TestPolicyInvariants = PolicyMachine.TestCase
TestPolicyInvariants.settings = hypothesis_settings(max_examples=150, stateful_step_count=40, deadline=None)
