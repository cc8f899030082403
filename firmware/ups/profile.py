"""What differs between UPS boards and contact cards, as data: the shape of a file in `profiles/`.

Nothing here is guessed: a fact that no maker confirms stands in `unchecked`; a pull-the-plug test must prove it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from firmware.power_settings import Pin
from firmware.settings_section import Section

Level = Literal["high", "low"]
Pull = Literal["up", "down", "none"]
_Byte = Annotated[int, Field(ge=0, le=0xFF)]
# Words for people only; what is left decides how the board is treated.
_WORDS = {"name", "title", "source", "notes", "unchecked"}


class MainsPin(Section):
    """The pin that tells of mains."""

    pin: Pin
    lost: Level
    """The level that means mains LOST. The two most common families disagree on it (power-reference 1.2)."""
    pull: Pull
    debounce_seconds: Annotated[float, Field(ge=0, le=5)] = 0.05


class BatteryPin(Section):
    """The pin that tells of a nearly empty battery."""

    pin: Pin
    low: Level
    pull: Pull
    debounce_seconds: Annotated[float, Field(ge=0, le=5)] = 0.05


class Register(Section):
    """A number in a chip: `bytes` from `register` on, times `scale`."""

    register_: _Byte = Field(alias="register")
    bytes: Annotated[int, Field(ge=1, le=4)] = 1
    order: Literal["big", "little"] = "big"
    scale: Annotated[float, Field(gt=0)] = 1.0


class MainsRegister(Register):
    """A number that tells of mains: there is mains where a bit of `mask` is set, or where it is at least `at_least`."""

    mask: Annotated[int, Field(ge=1)] | None = None
    at_least: float | None = None

    @model_validator(mode="after")
    def _one_rule(self) -> MainsRegister:
        if (self.mask is None) == (self.at_least is None):
            raise ValueError("give one of mask and at_least")
        return self


class I2cChip(Section):
    """A fuel gauge or a controller on the I2C bus. `mains` is present where any of its registers says so."""

    bus: Annotated[int, Field(ge=0, le=31)] = 1
    address: Annotated[int, Field(ge=0x08, le=0x77)]
    percent: Register | None = None
    volts: Register | None = None
    low_volts: Annotated[float, Field(gt=0, le=60)] | None = None
    """Below so many volts the battery is low."""
    runtime_seconds: Register | None = None
    mains: tuple[MainsRegister, ...] = ()

    @model_validator(mode="after")
    def _volts_for_low(self) -> I2cChip:
        if self.low_volts is not None and self.volts is None:
            raise ValueError("low_volts needs volts")
        return self


class Off(Section):
    """How the board is told to cut its output once the appliance is down.

    `pulse` and `level` drive a pin, `i2c` writes registers; boards that need time before they cut. `kernel` is for
    boards that cut at once: the kernel drives the pin as its last act (overlay gpio-poweroff). `none` cannot be told.
    """

    method: Literal["pulse", "level", "i2c", "kernel", "none"] = "none"
    pin: Pin | None = None
    level: Level = "high"
    seconds: Annotated[float, Field(gt=0, le=30)] = 1.0
    """pulse: how long."""
    writes: tuple[tuple[_Byte, _Byte], ...] = ()
    """i2c: register and value, in order."""

    @model_validator(mode="after")
    def _whole(self) -> Off:
        if self.method in ("pulse", "level", "kernel") and self.pin is None:
            raise ValueError(f"the method {self.method} needs a pin")
        if self.method == "i2c" and not self.writes:
            raise ValueError("the method i2c needs writes")
        return self


class UpsProfile(Section):
    """One board or card."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")]
    title: Annotated[str, Field(min_length=1)]
    source: Annotated[str, Field(min_length=1)]
    """Where the facts come from."""
    notes: tuple[str, ...] = ()
    """Traps, for the technician."""
    unchecked: tuple[str, ...] = ()
    """Fields that the sources leave in doubt, such as `off.pin`."""
    mains: MainsPin | None = None
    battery: BatteryPin | None = None
    i2c: I2cChip | None = None
    off: Off = Off()

    @model_validator(mode="after")
    def _whole(self) -> UpsProfile:
        if self.mains is None and not (self.i2c and self.i2c.mains):
            raise ValueError("nothing tells of mains: give [mains] with a pin, or mains in [i2c]")
        if self.off.method == "i2c" and self.i2c is None:
            raise ValueError("off by i2c needs the section [i2c]")
        pins = [part.pin for part in (self.mains, self.battery, self.off) if part is not None and part.pin is not None]
        if len(set(pins)) < len(pins):
            raise ValueError("one pin is used twice")
        known = set(_places(self.model_dump(by_alias=True)))
        if strange := [place for place in self.unchecked if place not in known]:
            raise ValueError(f"unchecked names what is not there: {', '.join(strange)}")
        return self

    @property
    def fingerprint(self) -> str:
        """Changes with every fact that decides how the board is treated; a proof counts for one fingerprint."""
        facts = self.model_dump(mode="json", exclude=_WORDS)
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _places(value: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for key, inner in value.items():
        yield before + key
        if isinstance(inner, Mapping):
            yield from _places(inner, f"{before}{key}.")
