"""The bench's commands for its UPS: `{"power": "mains", "on": false}` and the like. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from firmware.simulation.command_fields import BadCommand, Fields, flag, number, optional_text

_LONGEST_FLAP_SECONDS = 3600.0
_MOST_FLAPS = 1000
_MOST_WATTS = 10_000.0


@dataclass(frozen=True, slots=True)
class SetMains:
    """Mains on or off."""

    on: bool


@dataclass(frozen=True, slots=True)
class SetBatteryLow:
    """The battery's warning on or off."""

    low: bool


@dataclass(frozen=True, slots=True)
class SetBattery:
    """A battery that drains by its load while there is no mains."""

    percent: float
    watt_hours: float
    load_watts: float


@dataclass(frozen=True, slots=True)
class SetReplaceBattery:
    """The battery has grown old, or is new."""

    replace: bool


@dataclass(frozen=True, slots=True)
class SetSilent:
    """The UPS says nothing any more, as a dead one, or speaks again."""

    silent: bool


@dataclass(frozen=True, slots=True)
class Flap:
    """Mains goes and comes back."""

    seconds: float
    times: int


@dataclass(frozen=True, slots=True)
class SetNeverCuts:
    """The UPS takes the command to cut its output, and does not cut."""

    never: bool


@dataclass(frozen=True, slots=True)
class SetContact:
    """An alarm contact goes into alarm, or out of it."""

    name: str
    active: bool


PowerCommand = SetMains | SetBatteryLow | SetBattery | SetReplaceBattery | SetSilent | Flap | SetNeverCuts | SetContact


def parse_power(fields: Fields) -> PowerCommand:
    """Raises: BadCommand."""
    what = fields["power"]
    reader = _READERS.get(what) if isinstance(what, str) else None
    if reader is None:
        others = ", ".join(name for name in _READERS if name not in ("mains", "battery_low"))
        raise BadCommand(f"power is mains or battery_low, or one of {others}, not {what!r}")
    return reader(fields)


def _battery(fields: Fields) -> PowerCommand:
    watt_hours = number(fields, "watt_hours", 20.0, _MOST_WATTS)
    load_watts = number(fields, "watts", 10.0, _MOST_WATTS)
    if watt_hours == 0 or load_watts == 0:
        raise BadCommand("watt_hours and watts of a battery are more than 0")
    return SetBattery(number(fields, "percent", 100.0, 100.0), watt_hours, load_watts)


def _flap(fields: Fields) -> PowerCommand:
    times = number(fields, "times", 1, _MOST_FLAPS)
    if times < 1 or times != int(times):
        raise BadCommand("times is a whole number from 1 on")
    return Flap(number(fields, "seconds", 0.003, _LONGEST_FLAP_SECONDS), int(times))


def _contact(fields: Fields) -> PowerCommand:
    name = optional_text(fields, "name")
    if not name:
        raise BadCommand("which contact? Give its name")
    return SetContact(name, flag(fields, "on", True))


_READERS: dict[str, Callable[[Fields], PowerCommand]] = {
    "mains": lambda fields: SetMains(flag(fields, "on", None)),
    "battery_low": lambda fields: SetBatteryLow(flag(fields, "on", True)),
    "battery": _battery,
    "replace_battery": lambda fields: SetReplaceBattery(flag(fields, "on", True)),
    "silent": lambda fields: SetSilent(flag(fields, "on", True)),
    "flap": _flap,
    "never_cuts": lambda fields: SetNeverCuts(flag(fields, "on", True)),
    "contact": _contact,
}
