"""Whether the modem profiles that lines name exist. Apart, so that the calls service loads no other check."""

from __future__ import annotations

from collections.abc import Iterable

from firmware.errors import Problem
from firmware.modem.profile import profiles
from firmware.settings import AUTO, Settings
from firmware.yaml_source import did_you_mean


def profile_problems(settings: Settings) -> list[Problem]:
    """Lines whose modem profile does not exist."""
    known = profiles()
    return [
        Problem("configuration", 0, f'line {line.name}: no modem profile "{line.profile}"{_near(line.profile, known)}')
        for line in settings.lines
        if line.profile not in (AUTO, *known)
    ]


def _near(word: str, known: Iterable[str]) -> str:
    return did_you_mean(word, known) or f"; there are {', '.join(known)}"
