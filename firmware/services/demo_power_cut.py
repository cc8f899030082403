"""`linekeeper demo --power-cut`: mains fails while a caller speaks, a generator comes, and what is written down of it.

A minute of the requirements lasts a second here, so that the second tier would be shed 10 s after the loss and the
generator comes after 8: only the figures of the power section are divided, everything else runs in real time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from firmware.errors import ServiceError
from firmware.events import LoadSwitched, PowerChanged, PowerState
from firmware.services.bench_appliance import BenchAppliance
from firmware.services.event_hub import PowerEvent
from firmware.services.incident_report import report
from firmware.simulation.ups import SimulatedUps
from firmware.storage.queries import Records

POWER_SETTINGS = """\
  second_tier_after_seconds: 10
  mains_steady_seconds: 1
  restore_after_seconds: 5
  loads:
    - {name: speech, kind: speech, tier: 1}
    - {name: cooling, kind: relay, pin: 17, tier: 1}
    - {name: display, kind: relay, pin: 27, tier: 1}
    - {name: sync, kind: sync, tier: 2}
"""
_INTO_THE_MESSAGE_SECONDS = 1.5
_GENERATOR_AFTER_SECONDS = 8.0
_LONGEST_RECOVERY_SECONDS = 40.0

Tell = Callable[[str, str], None]


class PowerCut:
    """Takes mains away in the middle of a message, and watches what becomes of it."""

    def __init__(self, appliance: BenchAppliance, tell: Tell) -> None:
        assert appliance.bench.power is not None
        self._ups: SimulatedUps = appliance.bench.power
        self._appliance = appliance
        self._tell = tell
        self._cut_at_seconds = 0.0
        self._shed: set[str] = set()
        self._over = asyncio.Event()
        appliance.power.hub.listen(self._happened)

    async def strike(self, recording: asyncio.Event) -> None:
        """While the caller speaks: mains goes; a generator gives power 8 minutes, here 8 seconds, later."""
        await recording.wait()
        await asyncio.sleep(_INTO_THE_MESSAGE_SECONDS)
        self._cut_at_seconds = asyncio.get_running_loop().time()
        self._tell("mains", "fails")
        self._ups.set_mains(on=False)
        await asyncio.sleep(_GENERATOR_AFTER_SECONDS)
        self._tell("mains", "a generator gives power, after 8 minutes that last 8 s here")
        self._ups.set_mains(on=True)

    async def recovered(self) -> None:
        """Until every load is back. Raises: ServiceError where that does not happen."""
        try:
            async with asyncio.timeout(_LONGEST_RECOVERY_SECONDS):
                await self._over.wait()
        except TimeoutError as error:
            raise ServiceError("the loads did not come back; the lines above tell how far it went") from error

    def report(self) -> str:
        """The incident, filled in for the file. Raises: ServiceError where none was written."""
        settings = self._appliance.settings
        zone = ZoneInfo(settings.time_zone)
        now = datetime.now(UTC)
        with Records(settings.data_dir, zone) as records:
            outages = [incident for incident in records.incidents() if incident["kind"] == "power"]
            if not outages:
                raise ServiceError("no incident was written of the loss of mains")
            facts = records.incident_facts(outages[-1]["id"], now)
        return report(facts, "en", zone, now)

    def _happened(self, event: PowerEvent) -> None:
        after = f"{asyncio.get_running_loop().time() - self._cut_at_seconds:.2f} s after the loss"
        if isinstance(event, PowerChanged):
            self._tell("power", f"{event.state.value.replace('_', ' ')}: {event.reason}")
            if event.state is PowerState.ON_MAINS and self._cut_at_seconds and not self._shed:
                self._over.set()
        elif isinstance(event, LoadSwitched):
            self._load(event, after)

    def _load(self, event: LoadSwitched, after: str) -> None:
        if event.fault is not None:
            self._tell("load", event.fault)
        elif event.shed:
            self._shed.add(event.load)
            self._tell("load", f"{event.load} is shed, {after}")
        else:
            self._shed.discard(event.load)
            if self._cut_at_seconds:
                self._tell("load", f"{event.load} is back")
            if not self._shed and self._cut_at_seconds:
                self._over.set()
