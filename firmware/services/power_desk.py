"""Puts the power policy to work: readings and time go in, and what it decides is carried out.

Loads are switched first and beside everything else; records follow as fast as the disk takes them.
"""

from __future__ import annotations

import asyncio

from firmware.events import PowerChanged, PowerState
from firmware.ports import PowerReading
from firmware.services.calls_link import CallsLink
from firmware.services.errands import Errands
from firmware.services.event_hub import PowerHub
from firmware.services.power_memory import PowerMemory
from firmware.services.power_off import PowerOff
from firmware.services.power_story import PowerStory
from firmware.services.scribe import Scribe
from firmware.ups import decisions
from firmware.ups.decisions import Decision
from firmware.ups.load_keeper import LoadKeeper
from firmware.ups.policy import PowerPolicy

# The last notes of an outage are worth this much of a dying battery.
_NOTES_SECONDS = 5.0


class PowerDesk:
    """Belongs to the event loop's thread."""

    def __init__(
        self,
        policy: PowerPolicy,
        loads: LoadKeeper,
        calls: CallsLink,
        off: PowerOff,
        story: PowerStory,
        scribe: Scribe,
        hub: PowerHub,
        memory: PowerMemory,
    ) -> None:
        self.policy = policy
        self._loads = loads
        self._calls = calls
        self._off = off
        self._story = story
        self._scribe = scribe
        self._hub = hub
        self._memory = memory
        self._kept = policy.history
        memory.keep(self._kept)
        self._told = (policy.state, policy.tier)
        self._released = False
        self._source_spoke = False
        self._battery_was_fine = False
        self._changed = asyncio.Event()
        self._errands = Errands("power")

    def heard(self, reading: PowerReading) -> None:
        """What the source says now."""
        if self.policy.state is PowerState.UNKNOWN and reading.mains:
            self._story.started_on_mains()
        self._follow(self.policy.heard(reading, _now()))
        self._end_old_incidents(reading)

    def source_lost(self, reason: str) -> None:
        """The source says nothing more."""
        self._follow(self.policy.source_lost(reason, _now()))

    def calls_looked_at(self) -> None:
        """The link to calls has news."""
        if not self._calls.quiet:
            return
        if not self._released:
            self._released = True
            self._story.callers_released()
        self._follow(self.policy.callers_gone(_now()))

    async def run(self) -> None:
        """Serve the policy's deadlines, for ever."""
        while True:
            self._changed.clear()
            deadline = self.policy.next_deadline()
            try:
                async with asyncio.timeout_at(deadline):
                    await self._changed.wait()
            except TimeoutError:
                self._follow(self.policy.passed(_now()))

    async def close(self) -> None:
        """Break off what was begun."""
        await self._errands.close()

    def _end_old_incidents(self, reading: PowerReading) -> None:
        """Once after the start: what an earlier run left open is over where the source says so."""
        if not self._source_spoke and reading.mains is not None:
            self._source_spoke = True
            self._story.source_speaks()
        if not self._battery_was_fine and self.policy.battery_is_fine:
            self._battery_was_fine = True
            self._story.battery_is_fine()

    def _follow(self, decided: list[Decision]) -> None:
        for decision in decided:
            self._carry_out(decision)
        self._calls_may_know()
        if self.policy.history != self._kept:
            self._kept = self.policy.history
            self._memory.keep(self._kept)
        for decision in decided:
            self._story.decided(decision)
        if (now := (self.policy.state, self.policy.tier)) != self._told:
            self._told = now
            self._hub(PowerChanged(*now, self.policy.reason))
        self._changed.set()

    def _calls_may_know(self) -> None:
        """Until something is known of mains, calls is left as it is: it may be releasing callers for an earlier run."""
        if self._calls.battery_low is None and (self.policy.state is not PowerState.UNKNOWN or self.policy.source_died):
            self._calls.set_battery_low(False)

    def _carry_out(self, decision: Decision) -> None:
        """Most decisions are only told."""
        match decision:
            case decisions.ShedTo(tier):
                self._loads.shed_to(tier)
            case decisions.RestoreLoads():
                self._loads.restore()
            case decisions.BatteryLow():
                self._released = False
                self._calls.set_battery_low(True)
            case decisions.ShutDown():
                # A power service that was started again in the middle of a shutdown was never told of a low battery.
                self._calls.set_battery_low(True)
            case decisions.BatteryLowOver():
                self._calls.set_battery_low(False)
            case decisions.PowerOff(mains_there):
                self._errands.start(self._switch_off(mains_there))
            case decisions.Reboot():
                self._errands.start(self._start_anew())

    async def _switch_off(self, mains_there: bool) -> None:
        # A start that does not know why we went down would answer calls on an empty battery.
        await self._memory.settled(_NOTES_SECONDS)
        await self._scribe.settled(_NOTES_SECONDS)
        await self._off.go_down(mains_there=mains_there)

    async def _start_anew(self) -> None:
        await self._scribe.settled(_NOTES_SECONDS)
        await self._off.start_anew()


def _now() -> float:
    return asyncio.get_running_loop().time()
