"""Which far ends there are for a configuration, and how records go to each."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from firmware.alerts.uplinks import ends_route, step_route
from firmware.ports import Clock, Outbox, Route
from firmware.settings import Settings
from firmware.sync.rate import ByteRate
from firmware.sync.sender import FarEnd
from firmware.uplink_contract.limits import KINDS

_MODES = {
    "collector": ("firmware.services.collector_delivery", "collector_delivery"),
    "webhook": ("firmware.services.hook_delivery", "webhook_delivery"),
    "folder": ("firmware.services.hook_delivery", "folder_delivery"),
}
"""What makes the far end of each mode. Imported when it is used: no mode pays for the memory of another."""


@dataclass(frozen=True, slots=True)
class DeliveryParts:
    """What every far end is made of."""

    settings: Settings
    clock: Clock
    outbox: Outbox
    rate: ByteRate
    """One for all: what the office's connection has room for."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One route and its far end."""

    route: Route
    far_end: FarEnd
    place: str
    """Where it leads, for people."""
    certificate_ends: Callable[[], datetime | None] = lambda: None
    work: Mapping[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    """What else goes on for ever beside its sender, by name."""
    ask_news: Callable[[], None] = lambda: None
    """Whether the far end has something for this appliance is asked at once, and not when its turn comes."""
    trouble: Callable[[], str | None] = lambda: None
    """Why something that came from the far end could not be done yet, in a sentence."""
    urgent: bool = False
    """Neither held back to save power, nor to spare a far end that was away: a few words to few people."""


def main_route(settings: Settings) -> Route | None:
    """Along which everything goes; named for its mode, so that another far end gets everything anew."""
    mode = settings.sync.mode
    return None if mode == "off" else Route(mode, frozenset(KINDS))


def mail_route(settings: Settings) -> Route | None:
    """Along which new messages go to the office as mails; what is older than the route is no news."""
    email = settings.email
    if email.server is None or not email.to:
        return None
    kinds = frozenset({"message"})
    return Route("email", kinds, changes=False, history=False, delay_seconds=email.delay_seconds)


def alert_routes(settings: Settings) -> Sequence[Route]:
    """Along which incidents go to people: one a step, and one for their ends."""
    steps = [step_route(number, step.after_minutes) for number, step in enumerate(settings.alerts.steps)]
    return [*steps, ends_route()] if steps else []


def route_names(settings: Settings) -> Sequence[str]:
    """Of all that is configured, the main one first."""
    routes = (main_route(settings), mail_route(settings), *alert_routes(settings))
    return [route.name for route in routes if route]


def deliveries(parts: DeliveryParts) -> Sequence[Delivery]:
    """All that is configured, the main one first."""
    made: list[Delivery] = []
    if parts.settings.sync.mode in _MODES:
        made.append(_maker(*_MODES[parts.settings.sync.mode])(parts))
    if mail_route(parts.settings):
        made.append(_maker("firmware.services.mail_delivery", "mail_delivery")(parts))
    if alert_routes(parts.settings):
        made.extend(_maker("firmware.services.alert_deliveries", "alert_deliveries")(parts))
    return made


def _maker(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)
