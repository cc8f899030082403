"""Mains, battery, and what is shed."""

from __future__ import annotations

import asyncio
import json
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
    print(f"{status['state'].replace('_', ' ')} since {status['since']}: {status['reason']}")
    proved = "proved" if status["proved"] else "unproved; run: linekeeper power prove"
    print(f"UPS profile {status['profile']}: {proved}")
    if status["battery_percent"] is not None:
        print(f"battery {status['battery_percent']:.0f} %")
    print_records(status["loads"], as_json=False)


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
