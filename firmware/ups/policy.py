"""What is done about mains and battery: readings and time in, decisions out. Pure: no I/O, no clock of its own."""

from __future__ import annotations

from collections.abc import Callable

from firmware.events import PowerState
from firmware.ports import PowerReading
from firmware.power_settings import PowerSettings
from firmware.ups.battery_care import BatteryCare
from firmware.ups.battery_sense import BatterySense
from firmware.ups.decisions import Decision, SourceBack, SourceSilent
from firmware.ups.history import PowerHistory
from firmware.ups.ladder import Ladder
from firmware.ups.mains_sense import MainsSense
from firmware.ups.moments import Senses
from firmware.ups.rules import Rule, earliest, first_due
from firmware.ups.source_watch import SourceWatch

_NO_OUTAGE = (PowerState.UNKNOWN, PowerState.ON_MAINS, PowerState.RECOVERING)


class PowerPolicy:
    """Feed it every reading, and call `passed` at `next_deadline`; times are seconds on one clock that never steps.

    A call that comes late is no harm: what is due then begins then, and never runs through several waits at once.
    Keep `history` on the disk whenever it has changed, before the decisions that came with the change are carried out.
    """

    def __init__(
        self,
        settings: PowerSettings,
        history: PowerHistory,
        now_seconds: float,
        *,
        boot_id: str = "",
        believed: Callable[[], bool] = lambda: True,
    ) -> None:
        """`boot_id` is the kernel's name for this boot; the start counts as a new one where it is not known.

        `believed` tells whether the UPS may make us shut down; loads are shed for it in any case.
        """
        self._decisions: list[Decision] = []
        self._mains = MainsSense(settings.confirm_loss_seconds, settings.dead_after_seconds)
        self._battery = BatterySense(settings)
        self._source = SourceWatch(settings.dead_after_seconds, now_seconds)
        start = history.start_in(boot_id)
        senses = Senses(self._mains, self._battery, self._source, believed)
        self._ladder = Ladder(settings, senses, history.begun(boot_id, start), start, now_seconds, self._tell)
        self._care = BatteryCare(self._battery, settings.battery_reminder_seconds, self._mains_there, self._tell)
        self._first_call_at: float | None = now_seconds
        self._silence = Rule(lambda: self._source.dies_at, self._fall_silent)

    def heard(self, reading: PowerReading, now_seconds: float) -> list[Decision]:
        """A reading, repeated or new."""
        self._battery.hear(reading, now_seconds)
        self._care.hear(reading, now_seconds)
        if reading.mains is not None:
            self._mains.hear(reading.mains, now_seconds)
            if self._source.hear(now_seconds):
                self._tell(SourceBack())
        return self._settle(now_seconds)

    def source_lost(self, reason: str, now_seconds: float) -> list[Decision]:
        """The source says that it can tell nothing any more; it has `dead_after_seconds` to come back."""
        self._source.lost(reason)
        return self._settle(now_seconds)

    def passed(self, now_seconds: float) -> list[Decision]:
        """Time went by."""
        return self._settle(now_seconds)

    def callers_gone(self, now_seconds: float) -> list[Decision]:
        """The calls service is quiet: power may go off early. Means nothing before ShutDown."""
        self._ladder.shutdown.callers_gone(now_seconds)
        return self._settle(now_seconds)

    def next_deadline(self) -> float | None:
        """When to call `passed` at the latest; None where only a reading can change anything."""
        return earliest((self._first_call_at, self._mains.turns_at, *(rule.at() for rule in self._rules())))

    @property
    def state(self) -> PowerState:
        """Where it is."""
        return self._ladder.state

    @property
    def since_seconds(self) -> float:
        """When it came there."""
        return self._ladder.since_seconds

    @property
    def reason(self) -> str:
        """Why it is there, as a sentence."""
        return self._ladder.reason

    @property
    def tier(self) -> int:
        """How many tiers of loads are shed; 3 is low battery."""
        return self._ladder.tier

    @property
    def mains(self) -> bool | None:
        """Whether there is mains, after confirmation; None while nothing is known."""
        return None if self._source.died_at is not None else self._mains.level

    @property
    def source_died(self) -> bool:
        """Whether what watches the power is silent for so long that it counts as dead."""
        return self._source.died_at is not None

    @property
    def battery_percent(self) -> float | None:
        """As told last; None where it is not told."""
        return self._battery.percent

    @property
    def battery_is_fine(self) -> bool:
        """Whether it is neither low nor worn out, by what was told last."""
        return self._care.is_fine

    @property
    def on_battery_seconds(self) -> float:
        """Seconds without mains in this outage, in sum, as of the last call; 0 once loads are back."""
        return 0.0 if self.state in (PowerState.UNKNOWN, PowerState.ON_MAINS) else self._mains.away_seconds

    @property
    def history(self) -> PowerHistory:
        """What the next run must know."""
        return self._ladder.history

    def _rules(self) -> tuple[Rule, ...]:
        return (self._silence, *self._ladder.rules, *self._care.rules)

    def _settle(self, now_seconds: float) -> list[Decision]:
        self._first_call_at = None
        self._mains.advance(now_seconds)
        while rule := first_due(self._rules(), now_seconds):
            rule.act(now_seconds)
        decisions, self._decisions = self._decisions, []
        return decisions

    def _fall_silent(self, now_seconds: float) -> None:
        self._tell(SourceSilent(self._source.die(now_seconds)))
        self._mains.forget_steadiness()

    def _mains_there(self) -> bool:
        return self.mains is True and self.state in _NO_OUTAGE

    def _tell(self, decision: Decision) -> None:
        self._decisions.append(decision)
