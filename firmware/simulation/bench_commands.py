"""The commands of `linekeeper bench serve`, as text from anybody: read, checked, and refused in one sentence. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from firmware.simulation.command_fields import BadCommand, Fields, flag, one_of, optional_text
from firmware.simulation.far_end import Answers
from firmware.simulation.line_options import AfterHangUp, CallerIdTiming
from firmware.simulation.loop import ToneKind
from firmware.simulation.power_commands import PowerCommand, SetBatteryLow, parse_power
from firmware.simulation.synthesis import DTMF_KEYS


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


Command = Ring | Keys | Speak | PlayTone | HangUp | Plug | SetFarEnd | PowerCommand


def parse_command(text: str) -> Command:
    """Read one JSON line. Raises: BadCommand."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadCommand(f"this is no JSON: {text.strip()[:80]}") from error
    if not isinstance(fields, dict):
        raise BadCommand('a command is a JSON object such as {"line": "line1", "do": "ring"}')
    if "power" in fields:
        return parse_power(fields)
    doing = fields.get("do", "far_end" if "answers" in fields else None)
    reader = _READERS.get(doing) if isinstance(doing, str) else None
    if reader is None:
        raise BadCommand(f"there is nothing called {doing!r} to do; there are {', '.join(_READERS)}")
    return reader(fields)


def _ring(fields: Fields) -> Command:
    return Ring(
        _line(fields),
        optional_text(fields, "number"),
        optional_text(fields, "name"),
        None if "caller_id" not in fields else one_of(CallerIdTiming, fields, "caller_id"),
        None if "after_hang_up" not in fields else one_of(AfterHangUp, fields, "after_hang_up"),
    )


def _keys(fields: Fields) -> Command:
    keys = str(fields.get("key", fields.get("keys", "")))
    if not keys or not set(keys) <= DTMF_KEYS:
        raise BadCommand(f"{keys!r} cannot be keyed; keys are 0-9 * # A-D")
    return Keys(_line(fields), keys)


def _speak(fields: Fields) -> Command:
    file = optional_text(fields, "file")
    if not file:
        raise BadCommand("speak wants a file")
    return Speak(_line(fields), file)


def _tone(fields: Fields) -> Command:
    return PlayTone(_line(fields), one_of(ToneKind, fields, "kind"))


def _far_end(fields: Fields) -> Command:
    rings = fields.get("rings", 2)
    if isinstance(rings, bool) or not isinstance(rings, int) or not 0 <= rings <= 100:
        raise BadCommand(f"rings is a number from 0 to 100, not {rings!r}")
    line, number = optional_text(fields, "line"), optional_text(fields, "number")
    return SetFarEnd(line, number, one_of(Answers, fields, "answers"), rings)


def _line(fields: Fields) -> str:
    line = optional_text(fields, "line")
    if line is None:
        raise BadCommand("which line?")
    return line


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
    "battery_low": lambda fields: SetBatteryLow(flag(fields, "on", True)),
}
