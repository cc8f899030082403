"""The calls service: every line of the configuration, answered day and night."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self
from zoneinfo import ZoneInfo

from firmware.audio.catalogue import default_folder
from firmware.audio.line_ear import ear_maker
from firmware.audio.own_versions import own_folder
from firmware.audio.shelf import Shelf
from firmware.clock import SystemClock
from firmware.errors import ConfigurationError
from firmware.events import CallerId, LineChanged, LineState
from firmware.ivr.loader import LOW_BATTERY_FLOW, load_flow
from firmware.ivr.session import CallSession
from firmware.journal import journal
from firmware.modem.line import ModemLine
from firmware.modem.options import LineOptions
from firmware.modem.prompts import PromptCache
from firmware.ports import Clock, Recognizer, VoiceLine, WireOpener
from firmware.services.alive import control_probe
from firmware.services.control import ControlServer
from firmware.services.erasing import Erasing
from firmware.services.event_hub import CallHub
from firmware.services.incident_book import IncidentBook
from firmware.services.line_guard import LineGuard
from firmware.services.line_keeper import KeeperLimits, LineKeeper
from firmware.services.line_ports import PortBook
from firmware.services.line_status import LineStatus
from firmware.services.monitor import MonitorDesk
from firmware.services.paths import control_socket
from firmware.services.power_saving import PowerSaving
from firmware.services.profile_check import profile_problems
from firmware.services.retention import Retention
from firmware.services.scribe import Scribe
from firmware.services.service import Probe
from firmware.services.shared_flow import RELOAD, chosen_flow
from firmware.services.speech_desk import SpeechDesk
from firmware.services.store_opening import StoreOpening
from firmware.services.supervisor import keep_alive
from firmware.services.watched_line import WatchedLine
from firmware.settings import LineSettings, Settings
from firmware.storage.store import Store

_log = journal("calls")

# The session ends a call itself at its longest time; this much later the line's keeper no longer believes in it.
_WATCHDOG_MARGIN_SECONDS = 120.0
# Other services' writes are waited for up to 10 s, and what is queued on a slow card takes its time.
_WRITER_SECONDS = 120.0
_LAST_INCIDENTS_SECONDS = 5.0


class CallsService:
    """Lines, store and control socket of one appliance. An asynchronous context manager: inside it, lines are answered.

    `openers` replace the configured ports by name (the bench's wires); `control` may be left out in simulated time, and
    `recognizer` takes the place of the configured engine there.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        openers: Mapping[str, WireOpener] | None = None,
        control: bool = True,
        recognizer: Recognizer | None = None,
    ) -> None:
        if problems := profile_problems(settings):
            raise ConfigurationError(problems)
        self.hub = CallHub()
        self._settings = settings
        self._clock = clock or SystemClock()
        self.store = Store(
            settings.data_dir,
            self._clock,
            keep_free_megabytes=settings.calls.keep_free_megabytes,
            backup_folders=[settings.backup.folder] if settings.backup.folder else [],
        )
        self._scribe = Scribe()
        self._opening = StoreOpening(self.store, lambda: self._clock.now().astimezone(ZoneInfo(settings.time_zone)))
        self.speech = SpeechDesk(settings.speech, settings.languages, self.store, recognizer)
        self.hub.listen(self.speech.happened)
        self._monitors = MonitorDesk(self.hub)
        self._prompt_problems: list[str] = []
        own_voice = own_folder(settings.data_dir)
        self._shelf = Shelf(default_folder(), settings.languages, self._note_prompt_problem, own_voice)
        self._prompts = PromptCache()
        self._flow = chosen_flow(settings, self._shelf.known())
        self._ear = ear_maker(settings.country)
        ports = PortBook(settings.lines, openers or {})
        self._guards: dict[str, LineGuard] = {}
        self._keepers = {line.name: self._keeper(line, ports.opener(line)) for line in settings.lines}
        self._short_flow = load_flow(LOW_BATTERY_FLOW, self._shelf.known(), settings.time_zone)
        self.saving = PowerSaving(self._keepers, self.speech, self.store, self.hub)
        self._erasing = Erasing(settings, self._clock)
        self._retention = Retention(self.store, settings.retention, self._clock)
        self._control = self._control_server() if control else None
        self._tasks: list[asyncio.Task[None]] = []
        self._started = AsyncExitStack()

    def lines(self) -> list[dict[str, Any]]:
        """Every line with its JSON fields."""
        zone = ZoneInfo(self._settings.time_zone)
        for keeper in self._keepers.values():
            keeper.note_last_answer()
        return [keeper.status.to_json(zone) for keeper in self._keepers.values()]

    async def ready(self) -> None:
        """Until a line can ring and every other one can too, or has told why not."""
        with self.hub.subscription() as events:
            await asyncio.gather(*(keeper.tried.wait() for keeper in self._keepers.values()))
            if any(keeper.status.fault is None for keeper in self._keepers.values()):
                return
            async for event in events:
                if isinstance(event, LineChanged) and event.state is LineState.IDLE:
                    return

    def probes(self) -> Sequence[Probe]:
        """The writing thread and the socket. A line that hangs is its guard's business alone."""
        writer = Probe("database writer", self.store.answers, _WRITER_SECONDS, lambda: self.store.waits_for_disk)
        return [writer] if self._control is None else [writer, control_probe(control_socket(self._settings, "calls"))]

    def sentence(self) -> str:
        """How many lines can take a call, and what is wrong with the others."""
        faults = [keeper.status.fault for keeper in self._keepers.values() if keeper.status.fault]
        well = len(self._keepers) - len(faults)
        return "; ".join([f"{well} of {len(self._keepers)} lines in service", *faults])

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as starting:
            starting.push_async_callback(self._opening.stop)
            await self._opening.begin()
            scribe = asyncio.create_task(keep_alive("incidents", self._scribe.run, _scribe_crashed))
            starting.push_async_callback(self._stop_scribe, scribe)
            starting.callback(self._erasing.close)
            retention = asyncio.create_task(keep_alive("retention", self._retention.run, _retention_crashed))
            starting.push_async_callback(_stop, retention)
            if self._control is not None:
                await self._control.start()
                starting.push_async_callback(self._control.stop)
            self._tell_prompt_problems()
            await starting.enter_async_context(self.speech)
            await starting.enter_async_context(self.saving)
            self._tasks = [
                asyncio.create_task(keep_alive(name, guard.run, guard.crashed)) for name, guard in self._guards.items()
            ]
            starting.push_async_callback(self._stop_lines)
            self._started = starting.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._started.aclose()

    async def _stop_lines(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _stop_scribe(self, task: asyncio.Task[None]) -> None:
        await self._scribe.settled(_LAST_INCIDENTS_SECONDS)
        task.cancel()
        await asyncio.wait([task])

    def _keeper(self, line: LineSettings, opener: WireOpener) -> LineKeeper:
        options = LineOptions(self._settings.country, line.profile, line.triple_dle, ear=self._ear)
        telephone = ModemLine(line.name, opener, options, prompts=self._prompts)
        self._monitors.add(line.name, telephone)
        status = LineStatus(line.name, self._clock.now, self.hub)
        limits = KeeperLimits(self._settings.rings, self._settings.calls.longest_seconds + _WATCHDOG_MARGIN_SECONDS)
        watched = WatchedLine(telephone)
        keeper = LineKeeper(watched, status, self.store, self._receive, self.hub, limits, self._scribe)
        self._guards[line.name] = LineGuard(keeper, watched, limits.longest_call_seconds)
        return keeper

    def _receive(self, voice: VoiceLine, caller: CallerId, call_id: str, line: str) -> CallSession:
        return CallSession(
            self._short_flow if self.saving.low_battery else self._flow,
            voice=voice,
            store=self.store,
            shelf=self._shelf,
            clock=self._clock,
            caller=caller,
            call_id=call_id,
            line=line,
            watcher=self.hub,
            settings=self._settings.calls,
            languages=self._settings.languages,
            recognizer=self.speech.recognizer,
            speech=self._settings.speech,
        )

    def _control_server(self) -> ControlServer:
        views = {"lines": self.lines, "status": self.saving.status}
        path = control_socket(self._settings, "calls")
        actions = {**self.saving.actions(), "erase": self._erasing.erase, RELOAD: self._reload_flow}
        return ControlServer(path, views, self.hub, self._monitors, actions)

    async def _reload_flow(self, _request: dict[str, Any]) -> dict[str, Any]:
        """Calls that begin from now on follow the shared flow as it is now; those that go on follow theirs."""
        self._flow = await asyncio.to_thread(chosen_flow, self._settings, self._shelf.known())
        return {}

    def _note_prompt_problem(self, problem: str) -> None:
        _log.warning("prompt problem", problem=problem)
        self._prompt_problems.append(problem)

    def _tell_prompt_problems(self) -> None:
        incident = IncidentBook(self.store, "prompts", "voice")
        if self._prompt_problems:
            self._scribe.write(incident.begin, "; ".join(self._prompt_problems))
        else:
            self._scribe.write(incident.end)


async def _stop(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


async def _retention_crashed(error: Exception) -> None:
    """The supervisor has told the journal; delivered audio stays a minute longer."""


async def _scribe_crashed(error: Exception) -> None:
    """The supervisor has told the journal already; an incident would go the same way."""
