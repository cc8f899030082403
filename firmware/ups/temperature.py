"""How hot the processor is, and whether it slows itself down. Blocking for some milliseconds: call it in a thread."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

_THERMAL = Path("/sys/class/thermal")
_LONGEST_RUN_SECONDS = 5.0
# No processor works outside of this; such a zone is not wired.
_PLAUSIBLE_CELSIUS = (-40.0, 150.0)


@dataclass(frozen=True, slots=True)
class Throttling:
    """What the firmware of a Raspberry Pi tells of now (documentation of vcgencmd, `get_throttled`)."""

    under_voltage: bool
    slowed: bool
    hot: bool


def read_temperature(thermal: Path = _THERMAL) -> float | None:
    """The hottest zone in degrees Celsius, that of the processor where one says so; None where none is told."""
    zones = {zone.parent: _celsius(zone) for zone in thermal.glob("thermal_zone*/temp")}
    told = {folder: celsius for folder, celsius in zones.items() if celsius is not None}
    processors = {folder: celsius for folder, celsius in told.items() if "cpu" in _word(folder / "type")}
    return max((processors or told).values(), default=None)


def read_throttling(program: str = "vcgencmd") -> Throttling | None:
    """None where this is no Raspberry Pi, or its firmware does not answer."""
    try:
        answer = subprocess.run(
            [program, "get_throttled"], capture_output=True, text=True, timeout=_LONGEST_RUN_SECONDS, check=False
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return parse_throttled(answer.stdout)


def parse_throttled(answer: str) -> Throttling | None:
    """`throttled=0x50005`: bits 0 to 3 are under-voltage, frequency capped, throttled, soft temperature limit, now."""
    found = re.fullmatch(r"throttled=0x([0-9a-fA-F]{1,8})\s*", answer)
    if found is None:
        return None
    bits = int(found[1], 16)
    return Throttling(under_voltage=bool(bits & 1), slowed=bool(bits & 0b110), hot=bool(bits & 0b1000))


def _celsius(file: Path) -> float | None:
    try:
        celsius = int(_word(file)) / 1000
    except ValueError:
        return None
    return celsius if _PLAUSIBLE_CELSIUS[0] <= celsius <= _PLAUSIBLE_CELSIUS[1] else None


def _word(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
