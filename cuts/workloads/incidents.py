"""Two services write incidents into one database, which neither had made: each is there once, with its end."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from cuts.judging import DATA, new_store, next_start, unsound, violations_of
from cuts.workload import Fact, Telling, Told, Workload
from firmware.clock import SystemClock
from firmware.ports import IncidentLog
from firmware.storage.incident_store import IncidentStore
from firmware.storage.queries import Records


async def _prepare(folder: Path) -> None:
    (folder / DATA).mkdir()


async def _work(folder: Path, tell: Telling) -> None:
    others = IncidentStore(folder / DATA, SystemClock())
    await _tell_of(others, "alone", tell)
    store = new_store(folder)
    await store.open()
    for place in ("first", "second"):
        await _tell_of(others, f"{place}_power", tell)
        await _tell_of(store, f"{place}_calls", tell)
    await store.close()
    await _tell_of(others, "last", tell)
    await others.close()


async def _tell_of(log: IncidentLog, place: str, tell: Telling) -> None:
    await log.open_incident("fault", place, "it began")
    tell("open", place=place)
    await log.note_incident("fault", place, "it was looked at")
    tell("note", place=place)
    await log.close_incident("fault", place)
    tell("close", place=place)


async def _judge(folder: Path, told: Told) -> list[str]:
    async with next_start(folder) as (_, summary):
        found = [*violations_of(summary)]
        with Records(folder / DATA, ZoneInfo("UTC")) as records:
            incidents = [incident for incident in records.incidents() if incident["kind"] == "fault"]
    by_place = {incident["place"]: incident for incident in incidents}
    if len(by_place) != len(incidents):
        found.append("an incident is there twice")
    for what, done in (("open", _is_there), ("note", _was_looked_at), ("close", _is_over)):
        wrong = [fact["place"] for fact in told.all(what) if not done(by_place.get(fact["place"], {}))]
        found += [f"{place}: {what} is lost, or there twice" for place in wrong]
    return [*found, *unsound(folder)]


def _is_there(incident: Fact) -> bool:
    return bool(incident)


def _was_looked_at(incident: Fact) -> bool:
    return len(incident.get("actions", ())) == 1


def _is_over(incident: Fact) -> bool:
    return incident.get("ended_at") is not None


WORKLOAD = Workload("incidents", _prepare, _work, _judge)
