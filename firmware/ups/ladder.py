"""The states of the power policy and what leads from one to the next; drawn in docs/power.md. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from firmware.events import PowerState
from firmware.power_settings import PowerSettings
from firmware.ups import decisions
from firmware.ups.boot_gate import CALM_SECONDS, BootGate
from firmware.ups.decisions import Decision
from firmware.ups.history import MOST_TIERS, PowerHistory, Start
from firmware.ups.moments import Moments, Senses
from firmware.ups.rules import Rule, latest
from firmware.ups.shutdown import Shutdown


class Ladder:
    """One state at a time; `rules` are those of the present one, the most pressing first."""

    def __init__(
        self,
        settings: PowerSettings,
        senses: Senses,
        history: PowerHistory,
        start: Start,
        now_seconds: float,
        tell: Callable[[Decision], None],
    ) -> None:
        self._settings = settings
        self._mains, self._source = senses.mains, senses.source
        self._tell = tell
        self._resumed = start is Start.RESUMED
        starts = history.consecutive_outage_starts if history.low_battery_shutdown else 0
        self._gate = BootGate(settings, starts, now_seconds)
        self._when = Moments(settings, senses, self._gate)
        self.history = history
        self.shutdown = Shutdown(settings, senses.mains, senses.source, tell)
        self.state = PowerState.UNKNOWN
        self.since_seconds = now_seconds
        self.reason = "nothing is known of mains yet"
        self._outage_since: float | None = (self._resumed and history.outage_began_seconds) or None
        self._loads_told = False
        self._told_unproved = False
        self._hold_until = now_seconds
        self._rules = self._all_rules()
        self._begin(now_seconds)

    @property
    def tier(self) -> int:
        """How many tiers are shed; 3 is low battery."""
        return self.history.tier

    @property
    def rules(self) -> Sequence[Rule]:
        """The rules of this state."""
        return self._rules[self.state]

    def _all_rules(self) -> Mapping[PowerState, Sequence[Rule]]:
        return {
            PowerState.UNKNOWN: (
                Rule(self._low_before_at, self._low_again),
                Rule(self._when.empty_on_battery, self._low_after_start),
                Rule(self._when.lost, self._lose),
                Rule(self._when.there, self._find_mains),
                Rule(self._never_told_at, self._restore),
            ),
            PowerState.ON_MAINS: (Rule(self._when.lost, self._lose), Rule(self._calm_at, self._calm)),
            PowerState.ON_BATTERY: (
                Rule(self._when.low, self._low),
                Rule(self._low_unproved_at, self._tell_unproved),
                Rule(self._when.steady, self._recover),
                Rule(self._second_tier_at, lambda _: self._shed_to(2)),
            ),
            PowerState.RECOVERING: (
                Rule(self._when.lost, self._lose),
                Rule(self._when.restore, self._restore_on_mains),
            ),
            PowerState.LOW_BATTERY: (
                Rule(self._when.steady, self._low_over),
                Rule(self._hold_over_at, self._shut_down),
            ),
            PowerState.SHUTTING_DOWN: self.shutdown.rules,
        }

    def _begin(self, now_seconds: float) -> None:
        if self._resumed and self.history.shutdown_reason:
            self._enter(PowerState.SHUTTING_DOWN, self.history.shutdown_reason, now_seconds)
            self.shutdown.decide(self.reason, now_seconds)
            return
        if self._gate.seconds > 0:
            self._tell(decisions.BootGate(self._gate.sentence()))
        if self.tier > 0:
            self._tell(decisions.ShedTo(self.tier))

    # --- when -------------------------------------------------------------------------------------------------------

    def _never_told_at(self) -> float | None:
        if self._loads_told or (self._resumed and self.tier > 0):
            return None
        return latest(self._source.died_at, self._gate.timed_out_at)

    def _low_before_at(self) -> float | None:
        """The service was started again at low battery: nothing but steady mains ends that."""
        was_low = self._resumed and self.tier >= MOST_TIERS
        return self._when.believed_loss() if was_low else None

    def _calm_at(self) -> float | None:
        return self._mains.steady_at(CALM_SECONDS) if self.history.consecutive_outage_starts else None

    def _low_unproved_at(self) -> float | None:
        return None if self._told_unproved else self._when.low_unproved()

    def _second_tier_at(self) -> float | None:
        return None if self.tier >= 2 else self._when.second_tier()

    def _hold_over_at(self) -> float | None:
        back = self._mains.level and self._source.died_at is None
        return None if back else self._hold_until  # either it becomes steady, or it goes away again

    # --- what -------------------------------------------------------------------------------------------------------

    def _lose(self, now_seconds: float) -> None:
        if self.state in (PowerState.UNKNOWN, PowerState.ON_MAINS):
            self._mains.forget_outage()
        if self._outage_since is not None:
            self._mains.go_on_with_outage(self._outage_since)
        else:
            self._outage_since = self._mains.since
        # What next run counts on from: with the seconds without mains of the whole outage, and none twice.
        self.history = replace(self.history, outage_began_seconds=max(0.0, now_seconds - self._mains.away_seconds))
        self._told_unproved = False
        self._enter(PowerState.ON_BATTERY, "mains is away; the battery carries us", now_seconds)
        self._tell(decisions.MainsLost(self.reason))
        self._shed_to(1)

    def _low(self, now_seconds: float) -> None:
        self._enter_low(self._when.low_reason(now_seconds), now_seconds)

    def _tell_unproved(self, now_seconds: float) -> None:
        self._told_unproved = True
        self._tell(
            decisions.LowUnproved(
                f"{self._when.low_reason(now_seconds)}, but this UPS was never proved, so nothing is shut down; "
                "run: linekeeper power prove"
            )
        )

    def _low_after_start(self, now_seconds: float) -> None:
        self._lose(now_seconds)
        self._enter_low(
            "mains is away after a start from an empty battery, and the charge is too small or not known", now_seconds
        )

    def _low_again(self, now_seconds: float) -> None:
        self._lose(now_seconds)
        self._enter_low("mains is away, and the battery was low before the power service was started anew", now_seconds)

    def _enter_low(self, reason: str, now_seconds: float) -> None:
        self._hold_until = now_seconds + self._settings.low_battery_hold_seconds
        self._enter(PowerState.LOW_BATTERY, reason, now_seconds)
        self._tell(decisions.BatteryLow(reason))
        self._shed_to(MOST_TIERS)

    def _low_over(self, now_seconds: float) -> None:
        self._tell(decisions.BatteryLowOver())
        self._recover(now_seconds)

    def _recover(self, now_seconds: float) -> None:
        # Calls are taken again.
        self.history = replace(self.history, tier=min(self.tier, 2), outage_began_seconds=0.0)
        self._enter(PowerState.RECOVERING, "mains is back; loads stay off until it proves steady", now_seconds)
        began_at, self._outage_since = self._outage_since, None
        self._tell(decisions.MainsBack(None if began_at is None else self._mains.since - began_at))

    def _find_mains(self, now_seconds: float) -> None:
        if self.tier > 0:
            self._recover(now_seconds)
        else:
            self._restore_on_mains(now_seconds)

    def _restore_on_mains(self, now_seconds: float) -> None:
        self._enter(PowerState.ON_MAINS, "mains is there", now_seconds)
        self._restore(now_seconds)

    def _restore(self, now_seconds: float) -> None:
        del now_seconds
        if self.tier > 0 or not self._loads_told:
            self._tell(decisions.RestoreLoads())
        self._loads_told = True
        self.history = replace(self.history, tier=0, low_battery_shutdown=False)

    def _calm(self, now_seconds: float) -> None:
        del now_seconds
        self.history = replace(self.history, consecutive_outage_starts=0)

    def _shut_down(self, now_seconds: float) -> None:
        reason = self.reason
        self._enter(PowerState.SHUTTING_DOWN, reason, now_seconds)
        self.history = replace(self.history, low_battery_shutdown=True, shutdown_reason=reason)
        self.shutdown.decide(reason, now_seconds)

    def _shed_to(self, tier: int) -> None:
        if self.tier < tier:
            self.history = replace(self.history, tier=tier)
            self._tell(decisions.ShedTo(tier))

    def _enter(self, state: PowerState, reason: str, now_seconds: float) -> None:
        self.state, self.since_seconds, self.reason = state, now_seconds, reason
