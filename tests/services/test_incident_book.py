"""Incidents as the parts of a service tell them: what fails here must not fail them."""

from __future__ import annotations

from dataclasses import dataclass, field

from firmware.errors import StorageError
from firmware.services.incident_book import IncidentBook


@dataclass
class Log:
    """A `ports.IncidentLog` that remembers, or fails."""

    broken: bool = False
    told: list[tuple[str, ...]] = field(default_factory=list)

    async def open_incident(self, kind: str, place: str, summary: str) -> None:
        self._write("open", kind, place, summary)

    async def note_incident(self, kind: str, place: str, action: str) -> None:
        self._write("note", kind, place, action)

    async def effect_of_incident(self, kind: str, place: str, effect: str) -> None:
        self._write("effect", kind, place, effect)

    async def tell_incident(self, kind: str, place: str, who: str, how: str, result: str) -> None:
        self._write("tell", kind, place, who, how, result)

    async def close_incident(self, kind: str, place: str) -> None:
        self._write("close", kind, place)

    def _write(self, *words: str) -> None:
        if self.broken:
            raise StorageError("the disk is gone")
        self.told.append(words)


async def life(book: IncidentBook) -> None:
    await book.begin("mains is away")
    await book.begin("mains is away")
    await book.note("speech was switched off")
    await book.tell("Li Wei", "by telephone", "acknowledged")
    await book.effect("one line rested")
    await book.end()


async def test_all_of_an_incident_is_told_of_its_kind_and_place_and_a_fault_seen_twice_once() -> None:
    log = Log()
    await life(IncidentBook(log, "power", "ups"))
    assert log.told == [
        ("open", "power", "ups", "mains is away"),
        ("note", "power", "ups", "speech was switched off"),
        ("tell", "power", "ups", "Li Wei", "by telephone", "acknowledged"),
        ("effect", "power", "ups", "one line rested"),
        ("close", "power", "ups"),
    ]


async def test_a_store_that_fails_costs_the_part_that_tells_nothing() -> None:
    await life(IncidentBook(Log(broken=True), "power", "ups"))
