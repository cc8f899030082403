"""The commands of `linekeeper bench serve`, as text from anybody: read, checked, and refused in one sentence. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

from firmware.errors import LinekeeperError
from firmware.simulation.far_end import Answers
from firmware.simulation.line_options import AfterHangUp, CallerIdTiming
from firmware.simulation.loop import ToneKind
from firmware.simulation.synthesis import DTMF_KEYS


class BadCommand(LinekeeperError):
    """A line that is no command; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Ring:
    """Call a line."""

    line: str
    number: str | None
    name: str | None
    caller_id: CallerIdTiming | None
    after_hang_up: AfterHangUp | None


@dataclass(frozen=True, slots=True)
class Keys:
    """Press keys."""

    line: str
    keys: str


@dataclass(frozen=True, slots=True)
class Speak:
    """Say what is in a WAV file."""

    line: str
    file: str


@dataclass(frozen=True, slots=True)
class PlayTone:
    """Let the exchange play a tone; None ends it, and the caller's speech."""

    line: str
    kind: ToneKind | None


@dataclass(frozen=True, slots=True)
class HangUp:
    """The far party hangs up, before the answer or after it."""

    line: str


@dataclass(frozen=True, slots=True)
class Plug:
    """Pull a modem's USB plug, or put it back."""

    line: str
    plugged: bool


@dataclass(frozen=True, slots=True)
class SetFarEnd:
    """Say what a dialled number does: one number, else every other one, of one line or of all."""

    line: str | None
    number: str | None
    answers: Answers
    rings: int


@dataclass(frozen=True, slots=True)
class SetMains:
    """Mains on or off."""

    on: bool


@dataclass(frozen=True, slots=True)
class SetBatteryLow:
    """The battery's warning on or off."""

    low: bool


Command = Ring | Keys | Speak | PlayTone | HangUp | Plug | SetFarEnd | SetMains | SetBatteryLow
Fields = Mapping[str, Any]
Choice = TypeVar("Choice", bound=Enum)


def parse_command(text: str) -> Command:
    """Read one JSON line. Raises: BadCommand."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadCommand(f"this is no JSON: {text.strip()[:80]}") from error
    if not isinstance(fields, dict):
        raise BadCommand('a command is a JSON object such as {"line": "line1", "do": "ring"}')
    if "power" in fields:
        return _power(fields)
    doing = fields.get("do", "far_end" if "answers" in fields else None)
    reader = _READERS.get(doing) if isinstance(doing, str) else None
    if reader is None:
        raise BadCommand(f"there is nothing called {doing!r} to do; there are {', '.join(_READERS)}")
    return reader(fields)


def _power(fields: Fields) -> Command:
    match fields["power"]:
        case "mains":
            return SetMains(_flag(fields, "on", None))
        case "battery_low":
            return SetBatteryLow(_flag(fields, "on", True))
        case other:
            raise BadCommand(f"power is mains or battery_low, not {other!r}")


def _ring(fields: Fields) -> Command:
    return Ring(
        _line(fields),
        _optional_text(fields, "number"),
        _optional_text(fields, "name"),
        None if "caller_id" not in fields else _one_of(CallerIdTiming, fields, "caller_id"),
        None if "after_hang_up" not in fields else _one_of(AfterHangUp, fields, "after_hang_up"),
    )


def _keys(fields: Fields) -> Command:
    keys = str(fields.get("key", fields.get("keys", "")))
    if not keys or not set(keys) <= DTMF_KEYS:
        raise BadCommand(f"{keys!r} cannot be keyed; keys are 0-9 * # A-D")
    return Keys(_line(fields), keys)


def _speak(fields: Fields) -> Command:
    file = _optional_text(fields, "file")
    if not file:
        raise BadCommand("speak wants a file")
    return Speak(_line(fields), file)


def _tone(fields: Fields) -> Command:
    return PlayTone(_line(fields), _one_of(ToneKind, fields, "kind"))


def _far_end(fields: Fields) -> Command:
    rings = fields.get("rings", 2)
    if isinstance(rings, bool) or not isinstance(rings, int) or not 0 <= rings <= 100:
        raise BadCommand(f"rings is a number from 0 to 100, not {rings!r}")
    line, number = _optional_text(fields, "line"), _optional_text(fields, "number")
    return SetFarEnd(line, number, _one_of(Answers, fields, "answers"), rings)


def _line(fields: Fields) -> str:
    line = _optional_text(fields, "line")
    if line is None:
        raise BadCommand("which line?")
    return line


def _optional_text(fields: Fields, key: str) -> str | None:
    value = fields.get(key)
    if value is not None and not isinstance(value, str):
        raise BadCommand(f"{key} is text, not {value!r}")
    if value is not None and any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in value):
        raise BadCommand(f"{key} holds what is no text: {value!r}")
    return value


def _flag(fields: Fields, key: str, default: bool | None) -> bool:
    value = fields.get(key, default)
    if not isinstance(value, bool):
        raise BadCommand(f"{key} is true or false, not {value!r}")
    return value


def _one_of(choices: type[Choice], fields: Fields, key: str) -> Choice:
    value = fields.get(key)
    for choice in choices:
        if choice.value == value:
            return choice
    raise BadCommand(f"{key} is one of {', '.join(choice.value for choice in choices)}, not {value!r}")


_READERS: dict[str, Callable[[Fields], Command]] = {
    "ring": _ring,
    "key": _keys,
    "keys": _keys,
    "speak": _speak,
    "quiet": lambda fields: PlayTone(_line(fields), None),
    "tone": _tone,
    "hang_up": lambda fields: HangUp(_line(fields)),
    "give_up": lambda fields: HangUp(_line(fields)),
    "unplug": lambda fields: Plug(_line(fields), plugged=False),
    "replug": lambda fields: Plug(_line(fields), plugged=True),
    "far_end": _far_end,
    "battery_low": lambda fields: SetBatteryLow(_flag(fields, "on", True)),
}
