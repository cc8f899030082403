"""The power service: mains and battery watched, loads shed and brought back, alarm contacts, heat, and the lamps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, ExitStack
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

from firmware.clock import SystemClock
from firmware.errors import ConfigurationError, ServiceError, StorageError
from firmware.events import LoadSwitched
from firmware.journal import journal
from firmware.ports import Clock, PowerSource
from firmware.power_settings import LampSettings
from firmware.services.alive import control_probe
from firmware.services.calls_link import CallsLink
from firmware.services.control import ControlServer
from firmware.services.crash_story import CrashStory
from firmware.services.event_hub import PowerHub
from firmware.services.incident_book import IncidentBook
from firmware.services.lamp_keeper import LampKeeper
from firmware.services.paths import control_socket
from firmware.services.peers import Peers
from firmware.services.power_desk import PowerDesk
from firmware.services.power_memory import PowerMemory
from firmware.services.power_off import PowerOff
from firmware.services.power_story import PowerStory
from firmware.services.power_view import power_status
from firmware.services.proof_desk import ProofDesk
from firmware.services.scribe import Scribe
from firmware.services.service import Probe
from firmware.services.source_follower import SourceFollower
from firmware.services.supervisor import keep_alive
from firmware.services.surroundings import ContactWatch, HeatWatch
from firmware.settings import Settings
from firmware.storage.incident_store import IncidentStore
from firmware.ups.contacts import make_contacts
from firmware.ups.history_file import read_boot_id
from firmware.ups.lamps import PinLamps
from firmware.ups.load_keeper import LoadKeeper
from firmware.ups.load_worker import LoadTimes
from firmware.ups.loads.making import opened_loads
from firmware.ups.policy import PowerPolicy
from firmware.ups.sources import make_source, power_problems
from firmware.ups.temperature import read_temperature

# Services that were started again have forgotten what was asked of them.
_ASSERT_SECONDS = 15.0
_LAST_WRITES_SECONDS = 5.0

_log = journal("power")


class PowerService:
    """An asynchronous context manager: inside it, power is looked after. It needs no other service to be alive.

    `source` takes the place of the configured one, for tests of whole scenarios.
    """

    def __init__(self, settings: Settings, *, clock: Clock | None = None, source: PowerSource | None = None) -> None:
        if problems := power_problems(settings.power, [line.name for line in settings.lines]):
            raise ConfigurationError(problems)
        clock = clock or SystemClock()
        power = settings.power
        self.hub = PowerHub()
        self._settings = settings
        self._clock = clock
        self._log = IncidentStore(settings.data_dir, clock)
        self._scribe = Scribe()
        self._memory = PowerMemory(settings, clock.now)
        self._story = PowerStory(self._log, self._scribe)
        self._peers = Peers(settings)
        self.calls = CallsLink(self._peers, self._calls_looked_at)
        self._pins = ExitStack()
        loads = self._pins.enter_context(opened_loads(power, self._peers))
        times = LoadTimes(between_loads=power.between_loads_seconds)
        self._loads = LoadKeeper(loads, self._load_switched, times)
        source = source or make_source(power)
        off = PowerOff(power.off_command, power.reboot_command, source, self._story.note)
        self._desk = PowerDesk(
            self._policy(), self._loads, self.calls, off, self._story, self._scribe, self.hub, self._memory
        )
        self._source = SourceFollower(source, self._desk.heard, self._desk.source_lost) if source else None
        self._proof = ProofDesk(lambda: self._source.latest if self._source else None, self._memory.prove)
        self._contacts = ContactWatch(settings, make_contacts(power), self._log, self._scribe)
        self._heat = HeatWatch(power.too_hot_celsius, read_temperature, self._log, self._scribe)
        self._lamps = LampKeeper(lambda: self._desk.policy.state, self._has_trouble)
        self._control = ControlServer(
            control_socket(settings, "power"), {"status": self.status}, self.hub, actions={"prove": self._prove}
        )
        self._lamp_book = IncidentBook(self._log, "lamps", "pins")
        self._lamps_are_good = True
        self._crashes = CrashStory("power", IncidentBook(self._log, "power_service", "power"), self._scribe)
        if source is None:
            self.calls.set_battery_low(False)
        self._started = AsyncExitStack()

    def status(self) -> dict[str, Any]:
        """The JSON fields of `power status`, and a proof that is under way."""
        zone = ZoneInfo(self._settings.time_zone)
        status = power_status(
            self._desk.policy,
            self._loads,
            self._settings.power.profile,
            self._clock.now,
            zone,
            proved=self._memory.proved,
        )
        return status | {
            "proof": self._proof.to_json(),
            "temperature_celsius": self._heat.latest,
            "contacts": dict(self._contacts.active),
        }

    async def ready(self) -> None:
        """Until the source has told something, or that it cannot."""
        if self._source is not None:
            await self._source.tried.wait()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as starting:
            starting.push_async_callback(self._log.close)
            starting.callback(self._peers.close)
            starting.callback(self._pins.close)
            lamps = PinLamps(self._settings.power.lamps, self._lamp_missing)
            starting.callback(lamps.close)
            self._lamps.begin(lamps)
            self.hub.listen(lambda _: self._lamps.refresh(self.calls.status))
            await self._control.start()
            starting.push_async_callback(self._control.stop)
            starting.push_async_callback(self._loads.close)
            starting.push_async_callback(self._desk.close)
            self._begin(starting, {"incidents": self._scribe.run, "power memory": self._memory.run})
            # Once nothing changes any more, and while it can still be written.
            starting.push_async_callback(self._end_cleanly)
            self._end_old_incidents()
            starting.callback(self._crashes.close)
            self._begin(starting, self._work())
            self._started = starting.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._started.aclose()

    def _begin(self, starting: AsyncExitStack, work: dict[str, Callable[[], Awaitable[None]]]) -> None:
        for name, run in work.items():
            starting.push_async_callback(_stop, asyncio.create_task(keep_alive(name, run, self._crashes.crashed)))

    def _work(self) -> dict[str, Callable[[], Awaitable[None]]]:
        work: dict[str, Callable[[], Awaitable[None]]] = {
            "loads": self._assert_loads,
            "calls link": self.calls.run,
            "proof": self._proof.run,
            "contacts": self._contacts.run,
            "heat": self._heat.run,
        }
        if self._source is None:
            return work
        return {"power source": self._source.run, "power policy": self._desk.run, **work}

    def _policy(self) -> PowerPolicy:
        now_seconds = asyncio.get_running_loop().time()
        return PowerPolicy(
            self._settings.power,
            self._memory.recall(),
            now_seconds,
            boot_id=read_boot_id(),
            believed=lambda: self._memory.believed,
        )

    def _calls_looked_at(self) -> None:
        self._desk.calls_looked_at()
        self._lamps.refresh(self.calls.status)

    def _load_switched(self, event: LoadSwitched) -> None:
        self.hub(event)
        self._story.switched(event)

    def _has_trouble(self) -> bool:
        lost = self._source is not None and self._source.latest is None
        load_fault = any(load.fault for load in self._loads.told)
        return lost or load_fault or self._heat.hot or any(self._contacts.active.values())

    def _lamp_missing(self, sentence: str) -> None:
        self._lamps_are_good = False
        self._scribe.write(self._lamp_book.begin, sentence)

    def _end_old_incidents(self) -> None:
        """What an earlier run left open, and this start shows to be over; nothing where nothing is watched."""
        if self._lamps_are_good and self._settings.power.lamps != LampSettings():
            self._scribe.write(self._lamp_book.end)
        if self._source is not None:
            self._crashes.begin()

    def probes(self) -> Sequence[Probe]:
        """Its socket; what it watches has supervisors of its own."""
        return [control_probe(control_socket(self._settings, "power"))]

    def sentence(self) -> str:
        """How power is."""
        if self._source is None:
            return "no UPS is configured; mains and battery are not watched"
        policy = self._desk.policy
        return f"{policy.state.value.replace('_', ' ')}: {policy.reason}"

    async def _prove(self, request: dict[str, Any]) -> Any:
        if self._source is None:
            raise ServiceError("no UPS is configured, so there is nothing to prove; name its profile in `power`")
        return await self._proof.begin(request)

    async def _assert_loads(self) -> None:
        while True:
            await asyncio.sleep(_ASSERT_SECONDS)
            await self._loads.assert_wanted()
            try:
                await self._log.retry()
            except StorageError as error:
                _log.warning("incidents wait for the database", error=str(error))

    async def _end_cleanly(self) -> None:
        self._memory.keep(self._desk.policy.history.ended())
        await self._memory.settled(_LAST_WRITES_SECONDS)
        await self._scribe.settled(_LAST_WRITES_SECONDS)


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
