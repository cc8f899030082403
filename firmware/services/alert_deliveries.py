"""The ladder of alerts: a route for each step, and one for the ends of incidents."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from firmware.alert_settings import AlertStep
from firmware.alerts.desk import AlertDesk, Incident, Step
from firmware.alerts.ledger import Ledger
from firmware.alerts.uplinks import AlertUplink, ends_uplink, step_uplink
from firmware.ports import AlertChannel, Route
from firmware.services.alert_words import AlertWords
from firmware.services.appliance_card import appliance_card
from firmware.services.hook_delivery import signed_post
from firmware.services.incident_book import IncidentBook
from firmware.services.late_uplink import LateUplink
from firmware.services.uplinks import Delivery, DeliveryParts, alert_routes
from firmware.storage.incident_store import IncidentStore
from firmware.sync.alert_channels import HookChannel, MailChannel
from firmware.sync.appliance import Appliance
from firmware.sync.sender import FarEnd
from firmware.sync.signed_post import HookAddress

_FILE = "alerts.json"


def alert_deliveries(parts: DeliveryParts) -> Sequence[Delivery]:
    """One for each of `alert_routes`, in their order."""
    ladder = _Ladder(parts)
    *steps, ends = alert_routes(parts.settings)
    made = [
        _delivery(route, ladder, f"the people of alert step {number + 1}", partial(step_uplink, number))
        for number, route in enumerate(steps)
    ]
    return [*made, _delivery(ends, ladder, "the people who were alerted", ends_uplink)]


def _delivery(route: Route, ladder: _Ladder, place: str, make: Callable[[AlertDesk], AlertUplink]) -> Delivery:
    async def made() -> AlertUplink:
        return make(await ladder.desk())

    uplink = LateUplink(made, ladder.close)
    # An alert of a power failure is not held back to save power.
    return Delivery(route, FarEnd(uplink, connect=uplink.connect, audio_pauses=False), place, urgent=True)


class _Ladder:
    """The one desk that all routes share, made when it is first needed."""

    def __init__(self, parts: DeliveryParts) -> None:
        self._parts = parts
        self._store = IncidentStore(parts.settings.data_dir, parts.clock)
        self._desk: AlertDesk | None = None
        self._making = asyncio.Lock()

    async def desk(self) -> AlertDesk:
        """Started. Raises: StorageError."""
        async with self._making:
            if self._desk is None:
                self._desk = self._made(await asyncio.to_thread(appliance_card, self._parts.settings))
        await self._desk.start()
        return self._desk

    async def close(self) -> None:
        """Idempotent."""
        await self._store.close()

    def _made(self, card: Appliance) -> AlertDesk:
        settings, alerts = self._parts.settings, self._parts.settings.alerts
        words = AlertWords(alerts.languages or settings.languages, ZoneInfo(settings.time_zone), card.name)
        return AlertDesk(
            [
                Step(number, step.after_minutes, list(self._channels(step, words, card)))
                for number, step in enumerate(alerts.steps)
            ],
            Ledger(settings.data_dir / "sync" / _FILE),
            self._parts.clock,
            self._note,
            quiet_kinds=alerts.quiet_kinds,
            most_per_hour=alerts.most_per_hour,
        )

    def _channels(self, step: AlertStep, words: AlertWords, card: Appliance) -> Iterator[AlertChannel]:
        settings, clock = self._parts.settings, self._parts.clock
        if step.email:
            yield MailChannel(settings.email, step.email, words, clock)
        if step.webhook:
            address = HookAddress(step.webhook.url, step.webhook.secret_file)
            yield HookChannel(signed_post(settings.sync, address, clock), step.webhook.url, card)

    async def _note(self, incident: Incident, who: str, how: str, result: str) -> None:
        await IncidentBook(self._store, incident["kind"], incident["place"]).tell(who, how, result)
