"""What is around the appliance: alarm contacts and heat, each an incident of its own (C12)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from firmware.errors import PinError
from firmware.journal import journal
from firmware.ports import AlarmContacts, IncidentLog
from firmware.services.incident_book import IncidentBook
from firmware.services.scribe import Scribe
from firmware.settings import Settings

_LOOK_SECONDS = 10.0
# Cooler by this, and it is over: a temperature at the border is one incident, not many.
_COOLER_BY_CELSIUS = 5.0
_RETRY_SECONDS = 30.0
# At rest for so long, and the alarm is over: a contact that chatters is one incident, not thousands.
_CALM_SECONDS = 30.0

_log = journal("surroundings")


class ContactWatch:
    """Alarm contacts as incidents, one for each contact."""

    def __init__(self, settings: Settings, contacts: AlarmContacts, log: IncidentLog, scribe: Scribe) -> None:
        self._contacts = contacts
        self._scribe = scribe
        self._pins = IncidentBook(log, "contact", "pins")
        self._alarms = {
            contact.name: _Alarm(
                IncidentBook(log, "contact", contact.name),
                contact.summary or f"the alarm contact {contact.name} tells an alarm",
                scribe,
            )
            for contact in settings.power.contacts
        }
        self._active: dict[str, bool] = {}

    @property
    def active(self) -> Mapping[str, bool]:
        """Each contact as it was last told."""
        return self._active

    async def run(self) -> None:
        """For ever; pins that cannot be had are an incident, and tried again."""
        try:
            while self._alarms:
                await self._watch()
                await asyncio.sleep(_RETRY_SECONDS)
        finally:
            for alarm in self._alarms.values():
                alarm.close()
        await asyncio.Event().wait()

    async def _watch(self) -> None:
        try:
            async with self._contacts:
                self._scribe.write(self._pins.end)
                async for change in self._contacts.changes():
                    self._active[change.contact] = change.active
                    self._alarms[change.contact].changed(active=change.active)
        except PinError as error:
            sentence = f"the alarm contacts cannot be watched: {error}"
            self._scribe.write(self._pins.begin, sentence)


class _Alarm:
    """The incident of one contact: it begins at once, and ends when the contact has been at rest for a while."""

    def __init__(self, book: IncidentBook, sentence: str, scribe: Scribe) -> None:
        self._book = book
        self._sentence = sentence
        self._scribe = scribe
        self._times = 0
        self._calm: asyncio.TimerHandle | None = None

    def changed(self, *, active: bool) -> None:
        """The contact tells its state, news or not."""
        self.close()
        if active:
            if self._times == 0:
                self._scribe.write(self._book.begin, self._sentence)
            self._times += 1
        elif self._times:
            self._calm = asyncio.get_running_loop().call_later(_CALM_SECONDS, self._end)
        else:
            self._end()  # at the start: one that an earlier run left open

    def close(self) -> None:
        """The end is not told by itself any more."""
        if self._calm is not None:
            self._calm.cancel()
            self._calm = None

    def _end(self) -> None:
        if self._times > 1:
            self._scribe.write(self._book.note, f"the contact came and went {self._times} times")
        self._times = 0
        self._scribe.write(self._book.end)


class HeatWatch:
    """The processor's temperature as an incident. `celsius` reads it in a thread, None where there is no sensor."""

    def __init__(self, too_hot: float, celsius: Callable[[], float | None], log: IncidentLog, scribe: Scribe) -> None:
        self._too_hot = too_hot
        self._celsius = celsius
        self._book = IncidentBook(log, "temperature", "processor")
        self._scribe = scribe
        self.hot = False
        self.latest: float | None = None

    async def run(self) -> None:
        """For ever. An incident that an earlier run left open ends with the first cool look."""
        known = False
        while True:
            self.latest = await asyncio.to_thread(self._celsius)
            if self.latest is not None:
                was_hot, self.hot = self.hot, self._is_hot(self.latest)
                if self.hot is not was_hot or not known:
                    self._tell(self.latest)
                known = True
            await asyncio.sleep(_LOOK_SECONDS)

    def _is_hot(self, celsius: float) -> bool:
        return celsius >= self._too_hot - (_COOLER_BY_CELSIUS if self.hot else 0.0)

    def _tell(self, celsius: float) -> None:
        if not self.hot:
            self._scribe.write(self._book.end)
            return
        sentence = f"the processor has {celsius:.0f} degrees Celsius and slows down; look at its fan and its air"
        self._scribe.write(self._book.begin, sentence)
