"""`AlarmContacts`: fire, door, cooling and the like, on pins or on the bench."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, aclosing, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from firmware.errors import PowerSourceLost
from firmware.ports import AlarmContacts, ContactChange
from firmware.power_settings import ContactSettings, PowerSettings
from firmware.ups.bench_socket import ASK_SECONDS, State, connected
from firmware.ups.watched_pin import WatchedPin


def make_contacts(settings: PowerSettings) -> AlarmContacts:
    """Those of the configuration: on the bench where the bench is the UPS, else on pins."""
    if settings.profile == "bench" and settings.socket is not None:
        return BenchContacts([contact.name for contact in settings.contacts], settings.socket)
    return PinContacts(settings.contacts)


class PinContacts:
    """One reader at a time."""

    def __init__(self, contacts: Sequence[ContactSettings]) -> None:
        self._contacts = contacts
        self._pins: dict[str, WatchedPin] = {}
        self._opened = ExitStack()
        self._changes: asyncio.Queue[ContactChange] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        with ExitStack() as opening:
            for contact in self._contacts:
                self._pins[contact.name] = opening.enter_context(self._watch(contact))
            self._opened = opening.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    async def changes(self) -> AsyncIterator[ContactChange]:
        """See `ports.AlarmContacts`."""
        self._changes = asyncio.Queue()
        for contact in self._contacts:
            yield self._change(contact, high=self._pins[contact.name].high)
        while True:
            yield await self._changes.get()

    def _watch(self, contact: ContactSettings) -> WatchedPin:
        def changed(high: bool) -> None:
            self._changes.put_nowait(self._change(contact, high=high))

        return WatchedPin(contact.pin, contact.pull, contact.debounce_seconds, changed)

    def _change(self, contact: ContactSettings, *, high: bool) -> ContactChange:
        return ContactChange(contact.name, high == (contact.active == "high"))


class BenchContacts:
    """Contacts that the bench sets by name; one that it never set is at rest."""

    def __init__(self, names: Sequence[str], path: Path) -> None:
        self._names = names
        self._path = path

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is held between changes."""

    async def changes(self) -> AsyncIterator[ContactChange]:
        """See `ports.AlarmContacts`. While the bench says nothing, the last state stays."""
        told = dict.fromkeys(self._names, False)
        for name in self._names:
            yield ContactChange(name, active=False)
        while True:
            with suppress(PowerSourceLost):
                async with connected(self._path) as socket, aclosing(socket.states()) as states:
                    async for state in states:
                        for change in _news(told, state):
                            yield change
            await asyncio.sleep(ASK_SECONDS)


def _news(told: dict[str, bool], state: State) -> list[ContactChange]:
    contacts = state.get("contacts")
    active = {name for name, value in contacts.items() if value is True} if isinstance(contacts, dict) else set()
    news = [ContactChange(name, name in active) for name, before in told.items() if before != (name in active)]
    told.update({change.contact: change.active for change in news})
    return news
