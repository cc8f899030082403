"""Mains, battery, and what is shed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

from firmware.cli.frame import Json, group, print_records, say, settings_of

if TYPE_CHECKING:
    from firmware.settings import Settings

_power = group("power", "mains, battery, and what is shed")


@_power.command("status")
def power_status(context: typer.Context, as_json: Json = False) -> None:
    """Tell how mains, battery and loads are."""
    from firmware.services.control_client import ControlClient
    from firmware.services.paths import control_socket

    status: dict[str, Any] = ControlClient(control_socket(settings_of(context), "power")).get("status")
    if as_json:
        print(json.dumps(status, ensure_ascii=False))
        return
    for line in status_lines(status):
        print(line)
    if status["loads"]:
        print_records(status["loads"], as_json=False)


def status_lines(status: dict[str, Any]) -> Iterator[str]:
    """How mains, battery and surroundings are, for a person."""
    if status["profile"] == "none":
        # Nothing is shed then, and nothing can be proved.
        yield f"{status['reason']}; name the UPS in `power: {{profile: ...}}`"
    else:
        yield f"{status['state'].replace('_', ' ')} since {status['since']}: {status['reason']}"
        proved = "proved" if status["proved"] else "unproved; run: linekeeper power prove"
        yield f"UPS profile {status['profile']}: {proved}"
    if status["battery_percent"] is not None:
        yield f"battery {status['battery_percent']:.0f} %"
    for contact, active in status["contacts"].items():
        yield f"contact {contact}: {'in alarm' if active else 'at rest'}"
    if status["temperature_celsius"] is not None:
        yield f"processor {status['temperature_celsius']:.0f} degrees Celsius"


@_power.command("prove")
def power_prove(context: typer.Context) -> None:
    """Walk through pulling the plug of the UPS; only then is its profile believed."""
    raise typer.Exit(0 if asyncio.run(_prove(settings_of(context))) else 1)


async def _prove(settings: Settings) -> bool:
    from firmware.services.prove import proving

    async for step in proving(settings):
        say(step.sentence)
        proved = step.proved
    return proved
