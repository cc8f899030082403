"""What the caller's keys and the exchange's tones sound like: the ear of a line."""

from __future__ import annotations

from collections.abc import Sequence

from firmware.audio import spandsp
from firmware.audio.key_ear import KeyListener
from firmware.audio.tone_ear import ToneListener
from firmware.audio.tone_plans import plan_countries, tone_plan
from firmware.events import Sound
from firmware.ports import ToneEarMaker


class LineEar:
    """`ports.ToneEar` for one country. Where its tones are not known, keys alone are heard.

    Raises: SoundError without spandsp.
    """

    def __init__(self, country: str) -> None:
        plan = tone_plan(country)
        self._keys = KeyListener()
        self._tones = None if plan is None else ToneListener(plan)

    def hear(self, s16: bytes) -> Sequence[Sound]:
        """The next samples, in pieces of any length; what became certain with them, in order."""
        heard: list[tuple[int, Sound]] = list(self._keys.hear(s16))
        if self._tones is not None:
            heard += self._tones.hear(s16)
        return [sound for _, sound in sorted(heard, key=lambda one: one[0])]


def ear_maker(country: str) -> ToneEarMaker | None:
    """Makes ears for lines in this country; None without the library, which `tones_problem` tells about."""
    if spandsp.problem() is not None:
        return None
    return lambda: LineEar(country)


def tones_problem(country: str | None = None) -> str | None:
    """What an ear cannot do on this machine, or in this country, and what to do about it; None when all is well."""
    missing = spandsp.problem()
    if missing is not None or country is None or tone_plan(country) is not None:
        return missing
    return (
        f"the tones of the exchange are not known for country {country}, only keys are heard in the sound of a line, "
        f"and hang-up is left to the modem and to silence; known are {', '.join(plan_countries())}"
    )
