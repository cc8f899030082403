"""What one family of modems answers, can do and reports. The families are TOML files in `simulation/profiles`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from firmware.pcm import SampleFormat

_PROFILES = Path(__file__).parent.parent / "profiles"


@dataclass(frozen=True, slots=True)
class Codec:
    """One line of `+VSM=?`. `format` is None where the bench cannot code it: selecting it works, streaming does not."""

    cml: int
    name: str
    bits: int
    rates: tuple[int, ...] = (8000,)
    format: SampleFormat | None = None

    def listed(self) -> str:
        """The line as `+VSM=?` shows it."""
        return f'{self.cml},"{self.name}",{self.bits},0,{",".join(map(str, self.rates))},0,0'


@dataclass(frozen=True, slots=True)
class Device:
    """One line of `+VLS=?`: a primitive, whether it draws loop current, and its event masks."""

    label: str
    off_hook: bool = False
    masks: str = ""


@dataclass(frozen=True, slots=True)
class ToneRules:
    """What `+VTS` accepts (modem-reference 8)."""

    lowest_hz: int = 200
    highest_hz: int = 3000
    longest_ticks: int = 255
    one_frequency: bool = True
    nulls: bool = True
    digits: bool = True


@dataclass(frozen=True, slots=True)
class EventCodes:
    """What follows DLE for each event; empty where the family does not report it (modem-reference 7 and 10)."""

    busy: str = "b"
    congestion: str = "b"
    dial: str = "d"
    ringback: str = ""
    loop_break: str = ""
    polarity: str = ""
    extension_lifted: str = ""
    extension_down: str = ""
    silence: str = "s"
    quiet: str = "q"
    own_hook: str = ""


Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class ModemProfile:
    """One family. Ranges are inclusive."""

    name: str
    voice: bool = True
    fclass: str = "0,1,8"
    answers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    codecs: tuple[Codec, ...] = ()
    devices: Mapping[int, Device] = field(default_factory=dict)
    codes: EventCodes = EventCodes()
    tones: ToneRules = ToneRules()
    vsm_parameters: int = 2
    vsd_sensitivity: Ranges = ((0, 0), (127, 129))
    vsd_default: str = "0,50"
    receive_gain: Ranges = ((0, 0),)
    transmit_gain: Ranges = ((0, 255),)
    default_tone_ticks: int = 10
    ringback_never_came_seconds: int = 10
    countries: tuple[str, ...] = ("B5",)
    country: str = "B5"
    vendor_commands: tuple[str, ...] = ()
    duplex: bool = True
    duplex_leak_shift: int = 0
    ring_code_in_voice: bool = False
    caller_id_separator: str = "="
    caller_id_packet_in_voice: bool = False
    dtmf_span: bool = True
    ste_gates_events: bool = False
    codes_after_audio: bool = False
    triple_dle: bool = False
    etx_after_play: bool = False
    vls_stays_on_hook: bool = False
    hang_up_leaves_voice: bool = False
    connected: str = "VCON"
    no_dial_tone: str = "NO DIALTONE"
    reset_seconds: float = 0.05
    command_seconds: float = 0.002
    buffer_bytes: int = 2048
    dial_repeat_seconds: float = 3.0
    longest_command: int = 60

    def codec(self, cml: int) -> Codec | None:
        """The codec of this number, if the table has it."""
        return next((codec for codec in self.codecs if codec.cml == cml), None)


def profile_names() -> list[str]:
    """The families at hand."""
    return sorted(path.stem for path in _PROFILES.glob("*.toml"))


def load_profile(name: str) -> ModemProfile:
    """One family by its name. Raises: ValueError when there is none of this name."""
    if name not in profile_names():
        raise ValueError(f"no modem profile {name!r}; there are {', '.join(profile_names())}")
    raw: dict[str, Any] = tomllib.loads((_PROFILES / f"{name}.toml").read_text(encoding="utf-8"))
    for key, convert in _CONVERSIONS.items():
        if key in raw:
            raw[key] = convert(raw[key])
    return ModemProfile(name=name, **raw)


def _codec(entry: dict[str, Any]) -> Codec:
    coded = entry.pop("format", None)
    rates = tuple(entry.pop("rates", (8000,)))
    return Codec(rates=rates, format=SampleFormat(coded) if coded else None, **entry)


def _ranges(pairs: list[list[int]]) -> Ranges:
    return tuple((lowest, highest) for lowest, highest in pairs)


_CONVERSIONS: dict[str, Any] = {
    "answers": lambda raw: {command: tuple(lines) for command, lines in raw.items()},
    "codecs": lambda raw: tuple(map(_codec, raw)),
    "devices": lambda raw: {int(number): Device(**device) for number, device in raw.items()},
    "codes": lambda raw: EventCodes(**raw),
    "tones": lambda raw: ToneRules(**raw),
    "vsd_sensitivity": _ranges,
    "receive_gain": _ranges,
    "transmit_gain": _ranges,
    "countries": tuple,
    "vendor_commands": tuple,
}
