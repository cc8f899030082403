"""What parts of the power section get in each other's way: a pin with two users, a load of two entries. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import TypeVar

from firmware.errors import Problem
from firmware.power_settings import LoadSettings, PowerSettings
from firmware.ups.profile import UpsProfile
from firmware.yaml_source import did_you_mean

Thing = TypeVar("Thing", int, str)

# SDA and SCL of the two buses that the header has (Raspberry Pi documentation, "GPIO and the 40-pin header").
_I2C_PINS = {0: (0, 1), 1: (2, 3)}
# Without these nobody answers calls, or nobody brings loads back.
_NEVER_SHED = ("linekeeper.target", "linekeeper-calls.service", "linekeeper-power.service")


def conflicts(settings: PowerSettings, profile: UpsProfile | None, lines: Collection[str] | None) -> list[Problem]:
    """Each mistake with the names of those it concerns. `profile` is that of the UPS where it is on pins.

    `lines` are the telephone lines there are; None where they are not known.
    """
    sentences = [*_pins(settings, profile), *_switched_twice(settings.loads), *_units(settings.loads)]
    if lines is not None:
        sentences += _lines(settings.loads, lines)
    return [Problem("configuration", 0, f"power: {sentence}") for sentence in sentences]


def _pins(settings: PowerSettings, profile: UpsProfile | None) -> Iterator[str]:
    for pin, users in _with_several(_pin_users(settings, profile)):
        yield f"GPIO {pin} is used by {_and(users)}; give each of them a pin of its own"


def _pin_users(settings: PowerSettings, profile: UpsProfile | None) -> Iterator[tuple[int, str]]:
    if profile is not None:
        yield from _profile_pins(profile)
    for load in settings.loads:
        if load.kind == "relay" and load.pin is not None:
            yield load.pin, f"the load {load.name}"
    # The bench's contacts are set by name.
    for contact in settings.contacts if settings.profile != "bench" else ():
        yield contact.pin, f"the contact {contact.name}"
    for lamp, pin in settings.lamps.model_dump(exclude_none=True).items():
        yield pin, f"the lamp {lamp}"


def _profile_pins(profile: UpsProfile) -> Iterator[tuple[int, str]]:
    ups = f"the UPS {profile.name}"
    if profile.mains is not None:
        yield profile.mains.pin, f"{ups} (mains)"
    if profile.battery is not None:
        yield profile.battery.pin, f"{ups} (battery)"
    if profile.off.pin is not None:
        yield profile.off.pin, f"{ups} (off)"
    if profile.i2c is not None:
        for pin in _I2C_PINS.get(profile.i2c.bus, ()):
            yield pin, f"{ups} (I2C)"


def _switched_twice(loads: Iterable[LoadSettings]) -> Iterator[str]:
    for what, names in _with_several((what, load.name) for load in loads for what in _switches(load)):
        yield f"the loads {_and(names)} both switch {what}; leave one of them out"


def _switches(load: LoadSettings) -> Iterator[str]:
    match load.kind:
        case "speech" | "sync" | "display":
            yield f"the {load.device or load.kind}"
        case "unit":
            yield str(load.unit)
        case "radio":
            yield f"the radio {load.device}"
        case "usb_port":
            yield f"port {load.port} of hub {load.hub}"
            if load.line is not None:
                yield f"the line {load.line}"


def _units(loads: Iterable[LoadSettings]) -> Iterator[str]:
    for load in loads:
        if load.kind == "unit" and load.unit in _NEVER_SHED:
            yield f"the load {load.name} would stop {load.unit}, which must run without mains too; name another unit"


def _lines(loads: Iterable[LoadSettings], lines: Collection[str]) -> Iterator[str]:
    for load in loads:
        if load.kind == "usb_port" and load.line is not None and load.line not in lines:
            near = did_you_mean(load.line, lines) or f"; there are {', '.join(lines)}"
            yield f'the load {load.name} names the line "{load.line}", which there is not{near}'


def _with_several(pairs: Iterable[tuple[Thing, str]]) -> Iterator[tuple[Thing, list[str]]]:
    users: dict[Thing, list[str]] = defaultdict(list)
    for thing, user in pairs:
        users[thing].append(user)
    return ((thing, named) for thing, named in sorted(users.items()) if len(named) > 1)


def _and(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
