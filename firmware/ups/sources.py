"""The one place that knows which power source the configuration means."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from firmware.errors import ConfigurationError, Problem
from firmware.ports import PowerSource
from firmware.power_settings import PowerSettings
from firmware.ups.bench_source import BenchSource
from firmware.ups.conflicts import conflicts
from firmware.ups.gpio_source import GpioSource
from firmware.ups.nut_source import NutSource
from firmware.ups.profile_reader import find_profile

_NUT_PORT = 3493  # IANA


def make_source(settings: PowerSettings) -> PowerSource | None:
    """None for the profile `none`. Touches no hardware yet. Raises: ConfigurationError."""
    match settings.profile:
        case "none":
            return None
        case "bench":
            assert settings.socket is not None
            return BenchSource(settings.socket)
        case "nut":
            host, _, port = settings.server.partition(":")
            user, password_file = settings.user, settings.password_file
            return NutSource(host, int(port or _NUT_PORT), settings.ups, user, password_file)
        case profile:
            return GpioSource(find_profile(profile))


def power_problems(settings: PowerSettings, lines: Collection[str] | None = None) -> list[Problem]:
    """What is wrong with the power section of a configuration, as far as can be told without hardware.

    `lines` are the names of the telephone lines; without them, lines that loads name are not looked for.
    """
    try:
        on_pins = settings.profile not in ("none", "bench", "nut")
        profile = find_profile(settings.profile) if on_pins else None
    except ConfigurationError as error:
        return [*error.problems, *conflicts(settings, None, lines)]
    return conflicts(settings, profile, lines)


def source_title(settings: PowerSettings) -> str:
    """What watches mains and battery, for `check` and `doctor`. Raises: ConfigurationError."""
    match settings.profile:
        case "none":
            return "none: mains and battery are not watched"
        case "bench":
            return f"the simulated UPS at {settings.socket}"
        case "nut":
            return f"UPS {settings.ups} of the server {settings.server}"
        case reference:
            profile = find_profile(reference)
            doubts = f"; not confirmed by its maker: {', '.join(profile.unchecked)}" if profile.unchecked else ""
            return f"{profile.title}{doubts}"


def source_fingerprint(settings: PowerSettings) -> str:
    """Changes with whatever a pull-the-plug test has proved. Raises: ConfigurationError."""
    match settings.profile:
        case "none" | "bench":
            facts = f"{settings.profile} {settings.socket}"
        case "nut":
            facts = f"nut {settings.server} {settings.ups}"
        case reference:
            return find_profile(reference).fingerprint
    return hashlib.sha256(facts.encode()).hexdigest()
