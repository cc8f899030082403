"""`linekeeper power status`, as a technician reads it."""

from __future__ import annotations

from typing import Any

from firmware.cli.power import status_lines

_STATUS: dict[str, Any] = {
    "state": "on_battery", "since": "2026-11-28T05:13:54+08:00", "reason": "mains is away; the battery carries us",
    "profile": "x1200", "proved": False, "battery_percent": 71.4, "contacts": {}, "temperature_celsius": None,
}  # fmt: skip


def test_status_tells_state_profile_and_charge() -> None:
    assert list(status_lines(_STATUS)) == [
        "on battery since 2026-11-28T05:13:54+08:00: mains is away; the battery carries us",
        "UPS profile x1200: unproved; run: linekeeper power prove",
        "battery 71 %",
    ]


def test_status_tells_contacts_and_heat() -> None:
    lines = list(status_lines(_STATUS | {"contacts": {"fire": True, "door": False}, "temperature_celsius": 61.2}))
    assert lines[3:] == ["contact fire: in alarm", "contact door: at rest", "processor 61 degrees Celsius"]


def test_without_a_ups_nobody_is_sent_to_prove_one() -> None:
    none = {
        "profile": "none",
        "battery_percent": None,
        "reason": "no UPS is configured; mains and battery are not watched",
    }
    (line,) = status_lines(_STATUS | none)
    assert line.startswith("no UPS is configured")
    assert "power: {profile: ...}" in line
    assert "prove" not in line
