"""How a sound level looks on a terminal."""

from __future__ import annotations

from rich.text import Text

from firmware.audio.sound_level_meter import Level

_WIDTH = 50
_LOWEST_DBFS = -60.0
# Speech at a good distance peaks here; above it a laugh would clip, below it the room is heard.
_GOOD_DBFS = range(-24, -5)


def meter_line(level: Level, seconds: float) -> Text:
    """One line: time, a bar up to the peak with a mark at the held one, figures, and whether it was too loud."""
    bar, held = _place(level.peak_dbfs), _place(level.held_peak_dbfs)
    line = Text(f"{seconds:5.1f} s  ")
    for place in range(_WIDTH):
        mark = "|" if place == held - 1 else "█" if place < bar else "·"
        line.append(mark, style=_colour(place) if place < max(bar, held) else "dim")
    line.append(f" {level.held_peak_dbfs:6.1f} dBFS")
    if level.clipped:
        line.append("  TOO LOUD", style="bold red")
    return line


def _place(dbfs: float) -> int:
    share = (dbfs - _LOWEST_DBFS) / -_LOWEST_DBFS
    return round(_WIDTH * min(1.0, max(0.0, share)))


def _colour(place: int) -> str:
    dbfs = _LOWEST_DBFS * (1 - place / _WIDTH)
    if dbfs < _GOOD_DBFS.start:
        return "blue"
    return "green" if dbfs < _GOOD_DBFS.stop else "red"
