"""Tells people of incidents: at each step of the ladder, and of the end whoever was told of the beginning."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakValueDictionary

from firmware.alerts.ledger import Ledger, Place
from firmware.errors import DeliveryError, StorageError, TryLater
from firmware.journal import journal
from firmware.ports import AlertChannel, Clock, Telling, Told, What

_log = journal("alerts")

_HOUR = timedelta(hours=1)
_GATHERING_SECONDS = 3600.0
_AGAIN_SECONDS = 60.0
_RESULTS = {
    What.BEGAN: "told of the fault",
    What.OVER: "told that it is over",
    What.BOTH: "told of the fault and its end",
    What.SUMMARY: "told in a summary",
}

Incident = Mapping[str, Any]
Note = Callable[[Incident, str, str, str], Awaitable[None]]
"""Writes into the incident who was told, how, and with what result."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the ladder."""

    number: int
    after_minutes: float
    channels: Sequence[AlertChannel]


class AlertDesk:
    """All steps of one ladder. What was told is durable before it counts. Raises: DeliveryError, StorageError."""

    def __init__(
        self,
        steps: Sequence[Step],
        ledger: Ledger,
        clock: Clock,
        note: Note,
        *,
        quiet_kinds: Collection[str] = (),
        most_per_hour: int = 4,
    ) -> None:
        self._steps = steps
        self._ledger = ledger
        self._clock = clock
        self._note = note
        self._quiet_kinds = frozenset(quiet_kinds)
        self._most_per_hour = most_per_hour
        # An incident's end must not overtake its beginning; other incidents do not wait for a slow server.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._starting = asyncio.Lock()
        self._saving = asyncio.Lock()
        self._loaded = False
        self._gathering: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read what an earlier run left, and go on with it. Idempotent."""
        async with self._starting:
            if not self._loaded:
                await asyncio.to_thread(self._ledger.load)
                self._loaded = True
                self._gather()

    async def close(self) -> None:
        """Idempotent."""
        if self._gathering is not None:
            self._gathering.cancel()
            await asyncio.gather(self._gathering, return_exceptions=True)
        for channel in (channel for step in self._steps for channel in step.channels):
            await channel.close()

    async def is_due(self, number: int, incident: Incident) -> None:
        """The step's time has come: tell its people, unless it was over before."""
        await self.start()
        step = self._steps[number]
        async with self._lock_of(incident):
            ended_at = incident.get("ended_at") or self._ledger.ended_at(incident["id"])
            if incident["kind"] in self._quiet_kinds or _over_before(incident, ended_at, step.after_minutes):
                return
            incident = {**incident, "ended_at": ended_at}
            if self._is_flapping(step, incident):
                self._ledger.hold(number, incident, self._now())
                await self._save()
                self._gather()
                return
            await self._tell_step(step, What.BOTH if ended_at else What.BEGAN, incident)

    async def changed(self, incident: Incident) -> None:
        """It may be over: tell those who were told of it."""
        await self.start()
        if not incident.get("ended_at"):
            return
        async with self._lock_of(incident):
            if self._ledger.ended_at(incident["id"]) is None:
                self._ledger.note_end(incident["id"], incident["ended_at"])
                await self._save()
            await _each(self._tell_over(step, channel, incident) for step in self._steps for channel in step.channels)

    async def _tell_step(self, step: Step, what: What, incident: Incident) -> None:
        telling = Telling(f"{incident['id']}.{step.number}.{what.value}", what, step.number, [incident])
        await _each(
            self._tell_channel(step, channel, telling, self._missing(step, channel, incident))
            for channel in step.channels
        )
        self._ledger.note_told(_fault(step, incident), self._now())
        await self._save()

    def _missing(self, step: Step, channel: AlertChannel, incident: Incident) -> list[str]:
        place = Place(incident["id"], step.number, channel.name)
        known = self._ledger.who(place, "began") | self._ledger.who(place, "refused")
        return [person for person in channel.people if person not in known]

    async def _tell_over(self, step: Step, channel: AlertChannel, incident: Incident) -> None:
        place = Place(incident["id"], step.number, channel.name)
        people = sorted(self._ledger.who(place, "began") - self._ledger.who(place, "over"))
        telling = Telling(f"{incident['id']}.{step.number}.over", What.OVER, step.number, [incident])
        await self._tell_channel(step, channel, telling, people)

    async def _tell_channel(self, step: Step, channel: AlertChannel, telling: Telling, people: Sequence[str]) -> None:
        if not people:
            return
        told = await channel.tell(telling, people)
        for incident in telling.incidents:
            self._note_told(Place(incident["id"], step.number, channel.name), telling.what, incident, told)
        await self._save()
        await self._write_down(telling, channel, told)
        if told.later:
            raise TryLater("; ".join(f"{person}: {said}" for person, said in told.later.items()))

    def _note_told(self, place: Place, what: What, incident: Incident, told: Told) -> None:
        over = what in (What.OVER, What.BOTH) or (what is What.SUMMARY and incident.get("ended_at"))
        if what is What.OVER:
            # Whoever is refused now was reached before: there is no use in trying for ever.
            self._ledger.note(place, "over", [*told.reached, *told.refused])
            return
        self._ledger.note(place, "began", told.reached)
        self._ledger.note(place, "refused", told.refused)
        if over:
            self._ledger.note(place, "over", told.reached)

    async def _write_down(self, telling: Telling, channel: AlertChannel, told: Told) -> None:
        # Of a summary, its last incident tells for all: hundreds of notes would bury what happened.
        incident = telling.incidents[-1]
        for person in told.reached:
            await self._note(incident, person, channel.name, _RESULTS[telling.what])
        for person, reason in told.refused.items():
            await self._note(incident, person, channel.name, f"not reached: {reason}")

    def _is_flapping(self, step: Step, incident: Incident) -> bool:
        if str(step.number) in self._ledger.held() and self._is_held(step, incident):
            return True
        place = [Place(incident["id"], step.number, channel.name) for channel in step.channels]
        if any(self._ledger.who(where, "began") for where in place):
            return False  # half told; the rest follows
        now = self._clock.now()
        times = self._ledger.lately(_fault(step, incident), _text(now - _HOUR), _text(now))
        return len(times) >= self._most_per_hour

    def _is_held(self, step: Step, incident: Incident) -> bool:
        return any(known["id"] == incident["id"] for known in self._ledger.held()[str(step.number)]["incidents"])

    def _gather(self) -> None:
        if self._ledger.held() and (self._gathering is None or self._gathering.done()):
            self._gathering = asyncio.get_running_loop().create_task(self._tell_summaries())

    async def _tell_summaries(self) -> None:
        wait_seconds = _GATHERING_SECONDS
        while self._ledger.held():
            await asyncio.sleep(wait_seconds)
            try:
                for number in list(self._ledger.held()):
                    await self._tell_summary(int(number))
                wait_seconds = _GATHERING_SECONDS
            except (DeliveryError, StorageError) as error:
                _log.warning("a summary of incidents cannot be told yet", error=str(error))
                wait_seconds = _AGAIN_SECONDS

    async def _tell_summary(self, number: int) -> None:
        held = self._ledger.held()[str(number)]
        known = {"since": held["since"], "incidents": list(held["incidents"]), "more": held["more"]}
        ids = sorted(str(incident["id"]) for incident in known["incidents"])
        async with AsyncExitStack() as locked:
            # In one order, and nobody else takes two: they cannot wait for each other.
            for incident_id in ids:
                await locked.enter_async_context(self._lock_of({"id": incident_id}))
            if number < len(self._steps):
                await self._tell_held(self._steps[number], known)
            self._ledger.let_go(number, ids)
            await self._save()

    async def _tell_held(self, step: Step, held: Mapping[str, Any]) -> None:
        incidents = [
            {**known, "ended_at": known.get("ended_at") or self._ledger.ended_at(known["id"])}
            for known in held["incidents"]
        ]
        telling_id = f"summary.{step.number}.{held['since']}"
        telling = Telling(telling_id, What.SUMMARY, step.number, incidents, int(held["more"]))
        await _each(
            self._tell_channel(step, channel, telling, self._missing(step, channel, incidents[-1]))
            for channel in step.channels
        )

    def _lock_of(self, incident: Incident) -> asyncio.Lock:
        return self._locks.setdefault(str(incident["id"]), asyncio.Lock())

    async def _save(self) -> None:
        async with self._saving:
            await asyncio.to_thread(self._ledger.write, self._ledger.content())

    def _now(self) -> str:
        return _text(self._clock.now())


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


async def _each(tellings: Iterable[Awaitable[None]]) -> None:
    """All of them, one after the other; one that fails keeps none from the others. Raises the first failure."""
    first: DeliveryError | None = None
    for telling in tellings:
        try:
            await telling
        except DeliveryError as error:
            first = first or error
    if first is not None:
        raise first


def _fault(step: Step, incident: Incident) -> str:
    return f"{step.number}/{incident['kind']}/{incident['place']}"


def _over_before(incident: Incident, ended_at: str | None, after_minutes: float) -> bool:
    if not ended_at or not after_minutes:
        return False
    try:
        began, ended = (datetime.fromisoformat(text) for text in (incident["started_at"], ended_at))
    except (ValueError, TypeError):
        return False
    return ended - began < timedelta(minutes=after_minutes)
