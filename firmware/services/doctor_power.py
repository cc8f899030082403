"""What the doctor says of mains, battery, loads and what is around."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from firmware.errors import ConfigurationError, ServiceError
from firmware.services.control_client import ControlClient
from firmware.services.finding import Finding
from firmware.services.paths import control_socket
from firmware.settings import Settings
from firmware.ups.sources import source_title
from firmware.ups.temperature import Throttling, read_temperature, read_throttling

_GOOD_STATES = ("on_mains", "recovering")


def examine_power(settings: Settings) -> Iterator[Finding]:
    """Look at everything that has to do with power; never raises for what it finds."""
    yield from _heat(settings, read_temperature(), read_throttling())
    try:
        title = source_title(settings.power)
    except ConfigurationError as error:
        yield Finding("UPS", False, "; ".join(problem.text for problem in error.problems))
        return
    try:
        status: dict[str, Any] = ControlClient(control_socket(settings, "power")).get("status")
    except ServiceError as error:
        yield Finding("power", settings.power.profile == "none", str(error))
        return
    yield from power_findings(status, title)


def power_findings(status: dict[str, Any], title: str) -> Iterator[Finding]:
    """What the power service's own words mean for a technician."""
    if status["profile"] == "none":
        yield Finding("power", True, "mains and battery are not watched; name the UPS in `power: {profile: ...}`")
    else:
        battery = "" if status["battery_percent"] is None else f", battery {status['battery_percent']:.0f} %"
        state = status["state"].replace("_", " ")
        yield Finding("power", status["state"] in _GOOD_STATES, f"{state}: {status['reason']}{battery}")
        proved = "proved by a pulled plug" if status["proved"] else "unproved; run: linekeeper power prove"
        yield Finding("UPS", status["proved"], f"{title}; {proved}")
    for load in status["loads"]:
        where = "shed" if load["shed"] else "works"
        yield Finding(f"load {load['load']}", load["fault"] is None, load["fault"] or where)
    for contact, active in status["contacts"].items():
        yield Finding(f"contact {contact}", not active, "in alarm" if active else "at rest")


def _heat(settings: Settings, celsius: float | None, throttling: Throttling | None) -> Iterator[Finding]:
    if celsius is not None:
        good = celsius < settings.power.too_hot_celsius
        yield Finding("temperature", good, f"{celsius:.0f} degrees Celsius{'' if good else '; look at the fan'}")
    if throttling is not None:
        sags = throttling.under_voltage
        advice = "the supply sags under load; take a stronger one, or a shorter cable" if sags else "steady"
        yield Finding("supply voltage", not sags, advice)
