"""Alarm contacts and heat become incidents: once, in words, and over when they are over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Self

import pytest

from firmware.errors import PinError
from firmware.ports import ContactChange
from firmware.services.scribe import Scribe
from firmware.services.surroundings import ContactWatch, HeatWatch
from firmware.settings import Settings, parse_settings

pytestmark = pytest.mark.fast_time

_TEXT = """\
data_dir: /d
run_dir: /r
lines: [{name: front, port: /dev/x}]
power:
  contacts:
    - {name: fire, pin: 5, summary: "fire alarm in the store room"}
    - {name: door, pin: 6}
"""


class Log:
    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []

    async def open_incident(self, kind: str, place: str, summary: str) -> None:
        self.told.append(("open", place, summary))

    async def note_incident(self, kind: str, place: str, action: str) -> None:
        self.told.append(("note", place, action))

    async def close_incident(self, kind: str, place: str) -> None:
        self.told.append(("close", place, ""))

    async def effect_of_incident(self, kind: str, place: str, effect: str) -> None:
        self.told.append(("effect", place, effect))

    async def tell_incident(self, kind: str, place: str, who: str, how: str, result: str) -> None:
        self.told.append(("tell", place, who))


class Contacts:
    def __init__(self, broken: int = 0) -> None:
        self.queue: asyncio.Queue[ContactChange] = asyncio.Queue()
        self._broken = broken

    async def __aenter__(self) -> Self:
        if self._broken:
            self._broken -= 1
            raise PinError("gpiozero is missing")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    async def changes(self) -> AsyncIterator[ContactChange]:
        while True:
            yield await self.queue.get()


def settings() -> Settings:
    return parse_settings("test", _TEXT)


async def test_contact_is_an_incident_with_its_own_words_until_it_opens() -> None:
    log, scribe, contacts = Log(), Scribe(), Contacts()
    watch = ContactWatch(settings(), contacts, log, scribe)
    tasks = [asyncio.create_task(scribe.run()), asyncio.create_task(watch.run())]
    for contact, active in [("door", False), ("fire", True), ("door", True), ("fire", False)]:
        contacts.queue.put_nowait(ContactChange(contact, active))
    await asyncio.sleep(1.0)
    assert log.told == [
        ("close", "pins", ""),
        ("close", "door", ""),
        ("open", "fire", "fire alarm in the store room"),
        ("open", "door", "the alarm contact door tells an alarm"),
    ]
    assert dict(watch.active) == {"door": True, "fire": False}
    await asyncio.sleep(30.0)  # at rest for a while, and it is over
    assert log.told[4:] == [("close", "fire", "")]
    for task in tasks:
        task.cancel()


async def test_a_contact_that_chatters_for_hours_is_one_incident() -> None:
    log, scribe, contacts = Log(), Scribe(), Contacts()
    tasks = [
        asyncio.create_task(scribe.run()),
        asyncio.create_task(ContactWatch(settings(), contacts, log, scribe).run()),
    ]
    contacts.queue.put_nowait(ContactChange("door", active=False))
    for turn in range(40_000):
        contacts.queue.put_nowait(ContactChange("door", active=turn % 2 == 0))
        await asyncio.sleep(0.1 if turn % 1000 else 25.0)
    await asyncio.sleep(60.0)
    assert [what for what, place, _ in log.told if place == "door"] == ["close", "open", "note", "close"]
    assert log.told[-2][2] == "the contact came and went 20000 times"
    contacts.queue.put_nowait(ContactChange("door", active=True))
    await asyncio.sleep(0.1)
    assert log.told[-1][0] == "open"  # a new alarm is a new incident
    for task in tasks:
        task.cancel()


async def test_pins_that_cannot_be_had_are_told_and_tried_again() -> None:
    log, scribe, contacts = Log(), Scribe(), Contacts(broken=2)
    tasks = [
        asyncio.create_task(scribe.run()),
        asyncio.create_task(ContactWatch(settings(), contacts, log, scribe).run()),
    ]
    contacts.queue.put_nowait(ContactChange("fire", active=True))
    await asyncio.sleep(120.0)
    assert log.told[0] == ("open", "pins", "the alarm contacts cannot be watched: gpiozero is missing")
    assert log.told[1:] == [("close", "pins", ""), ("open", "fire", "fire alarm in the store room")]
    for task in tasks:
        task.cancel()


async def test_heat_at_the_border_is_one_incident() -> None:
    log, scribe = Log(), Scribe()
    values = iter([60.0, 81.0, 79.0, 80.5, 77.0, 74.0, 79.0])
    last = [60.0]

    def celsius() -> float:
        last[0] = next(values, last[0])
        return last[0]

    watch = HeatWatch(80.0, celsius, log, scribe)
    tasks = [asyncio.create_task(scribe.run()), asyncio.create_task(watch.run())]
    await asyncio.sleep(100.0)
    assert [what for what, _, _ in log.told] == ["close", "open", "close"]
    assert "81 degrees" in log.told[1][2]
    assert watch.latest == 79.0
    assert not watch.hot
    for task in tasks:
        task.cancel()


async def test_no_sensor_is_no_incident() -> None:
    log, scribe = Log(), Scribe()
    task = asyncio.create_task(HeatWatch(80.0, lambda: None, log, scribe).run())
    await asyncio.sleep(60.0)
    assert log.told == []
    task.cancel()
