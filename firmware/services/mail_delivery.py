"""Mails about new messages, as a route of its own."""

from __future__ import annotations

import asyncio
from zoneinfo import ZoneInfo

from firmware.ports import Uplink
from firmware.services.appliance_card import appliance_card
from firmware.services.incident_book import IncidentBook
from firmware.services.late_uplink import LateUplink
from firmware.services.uplinks import Delivery, DeliveryParts, mail_route
from firmware.storage.incident_store import IncidentStore
from firmware.sync.email_uplink import EmailUplink
from firmware.sync.sender import FarEnd

INCIDENT_KIND = "email"


def mail_delivery(parts: DeliveryParts) -> Delivery:
    """Where email.server and email.to are set."""
    settings, route = parts.settings, mail_route(parts.settings)
    assert route is not None  # whoever calls has looked
    store = IncidentStore(settings.data_dir, parts.clock)
    trouble = _Trouble(IncidentBook(store, INCIDENT_KIND, INCIDENT_KIND))

    async def make() -> Uplink:
        name = (await asyncio.to_thread(appliance_card, settings)).name
        languages = settings.email.languages or settings.languages
        zone = ZoneInfo(settings.time_zone)
        return EmailUplink(settings.email, name, languages, zone, parts.clock, trouble.tell)

    uplink = LateUplink(make, store.close)
    return Delivery(route, FarEnd(uplink, connect=uplink.connect), f"the mail server {settings.email.server}")


class _Trouble:
    """Somebody on the list is unknown to the mail server: one incident, until everybody is reached."""

    def __init__(self, book: IncidentBook) -> None:
        self._book = book
        self._last: str | None = "not known yet"

    async def tell(self, sentence: str | None) -> None:
        if sentence == self._last:
            return
        self._last = sentence
        await (self._book.end() if sentence is None else self._book.begin(sentence))
