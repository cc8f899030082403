"""Which far ends there are for a configuration, and how records go to each."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from firmware.ports import Clock, Outbox, Route
from firmware.settings import Settings
from firmware.sync.rate import ByteRate
from firmware.sync.sender import FarEnd
from firmware.uplink_contract.limits import KINDS

_MODES = {"collector": ("firmware.services.collector_delivery", "collector_delivery")}
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


def main_route(settings: Settings) -> Route | None:
    """Along which everything goes; named for its mode, so that another far end gets everything anew."""
    mode = settings.sync.mode
    return None if mode == "off" else Route(mode, frozenset(KINDS))


def route_names(settings: Settings) -> Sequence[str]:
    """Of all that is configured, the main one first."""
    main = main_route(settings)
    return [main.name] if main else []


def deliveries(parts: DeliveryParts) -> Sequence[Delivery]:
    """All that is configured, the main one first."""
    made: list[Delivery] = []
    if parts.settings.sync.mode in _MODES:
        made.append(_made(_MODES[parts.settings.sync.mode], parts))
    return made


def _made(maker: tuple[str, str], parts: DeliveryParts) -> Delivery:
    module, name = maker
    delivery: Delivery = getattr(importlib.import_module(module), name)(parts)
    return delivery
