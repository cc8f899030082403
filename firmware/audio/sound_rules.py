"""What a prompt's sound must be like for callers: length, level, peaks, clean ends. Without numpy."""

from __future__ import annotations

from collections.abc import Iterator

from firmware.audio.level import active_level_dbfs, peak_dbfs
from firmware.units import samples_to_seconds, seconds_to_samples

# Nobody listens longer without a chance to act (requirements, "Wording of prompts").
LONGEST_SECONDS = 12.0
LOWEST_DBFS, HIGHEST_DBFS = -22.0, -18.0
HIGHEST_PEAK_DBFS = -6.0
# What begins or ends louder than this clicks.
_CLICK_DBFS = -45.0
_CLICK_SAMPLES = seconds_to_samples(0.002)


def sample_problems(s16: bytes) -> Iterator[str]:
    """What makes samples at 8 kHz unfit for callers, each as the end of a sentence about their file."""
    seconds = samples_to_seconds(len(s16) // 2)
    if seconds > LONGEST_SECONDS:
        yield f"it lasts {seconds:.1f} s; nothing may be longer than {LONGEST_SECONDS:.0f} s"
    level = active_level_dbfs(s16)
    if not LOWEST_DBFS <= level <= HIGHEST_DBFS:
        kind = "quiet" if level < LOWEST_DBFS else "loud"
        yield f"it is too {kind}: {level:.1f} dBFS; {LOWEST_DBFS:.0f} to {HIGHEST_DBFS:.0f} are needed"
    yield from _peak_problems(s16)


def _peak_problems(s16: bytes) -> Iterator[str]:
    peak = peak_dbfs(s16)
    if peak > HIGHEST_PEAK_DBFS:
        kind = "it is clipped" if peak > -0.01 else "its peaks are too high"
        yield f"{kind}: {peak:.1f} dBFS; {HIGHEST_PEAK_DBFS:.0f} is the most"
    for place, edge in (("begins", s16[: 2 * _CLICK_SAMPLES]), ("ends", s16[-2 * _CLICK_SAMPLES :])):
        if peak_dbfs(edge) > _CLICK_DBFS:
            yield f"it {place} with a click; leave a little silence there"
