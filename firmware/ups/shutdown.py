"""The last steps: from the decision that nothing undoes to power-off, and the way out where that did not help. Pure."""

from __future__ import annotations

from collections.abc import Callable

from firmware.power_settings import PowerSettings
from firmware.ups.decisions import Decision, PowerOff, Reboot, ShutDown
from firmware.ups.mains_sense import MainsSense
from firmware.ups.rules import Rule, latest
from firmware.ups.source_watch import SourceWatch

# A battery that was called low is empty by then. Who still runs has power, whatever became of the sensor.
_STRANDED_SECONDS = 1800.0


class Shutdown:
    """Latched (NUT's FSD): power goes off once all is quiet, and we start anew where it never does."""

    def __init__(
        self, settings: PowerSettings, mains: MainsSense, source: SourceWatch, tell: Callable[[Decision], None]
    ) -> None:
        self._settings = settings
        self._mains = mains
        self._source = source
        self._tell = tell
        self._quiet_at: float | None = None
        self._off_at: float | None = None
        self._rebooting = False
        self.rules = (
            Rule(self._power_off_at, self._power_off),
            Rule(self._reboot_at, lambda _: self._reboot("mains is back and the UPS did not cut its output")),
            Rule(self._stranded_at, lambda _: self._reboot("the battery was low long ago and there is power still")),
        )

    def decide(self, reason: str, now_seconds: float) -> None:
        """Nothing undoes this."""
        self._quiet_at = now_seconds + self._settings.quiet_seconds
        self._tell(ShutDown(reason))

    def callers_gone(self, now_seconds: float) -> None:
        """All is quiet: power may go off now. Means nothing before the decision."""
        if self._quiet_at is not None:
            self._quiet_at = min(self._quiet_at, now_seconds)

    def _power_off_at(self) -> float | None:
        return None if self._off_at is not None else self._quiet_at

    def _power_off(self, now_seconds: float) -> None:
        self._off_at = now_seconds
        self._tell(PowerOff(mains_there=self._mains.level is True))

    def _reboot_at(self) -> float | None:
        if self._off_at is None or self._rebooting:
            return None
        steady_at = self._mains.steady_at(self._settings.mains_steady_seconds)
        return latest(self._off_at + self._settings.power_race_seconds, steady_at)

    def _stranded_at(self) -> float | None:
        if self._off_at is None or self._rebooting:
            return None
        return latest(self._off_at + _STRANDED_SECONDS, self._source.died_at)

    def _reboot(self, why: str) -> None:
        self._rebooting = True
        self._tell(Reboot(f"{why}; starting anew"))
