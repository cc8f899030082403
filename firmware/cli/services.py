"""The services, and what shows them without hardware."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated

import typer

from firmware.cli.frame import Json, app, say, settings_of


@app.command()
def run(
    context: typer.Context,
    services: Annotated[list[str] | None, typer.Argument(help="some of: calls, power, sync, office")] = None,
) -> None:
    """Run all services, or those named, until told to stop; prints `ready` once lines can ring."""
    from firmware.services.run import SERVICES, run_services

    unknown = sorted(set(services or []) - set(SERVICES))
    if unknown:
        raise typer.BadParameter(f"no service is called {', '.join(unknown)}; there is: {', '.join(SERVICES)}")
    asyncio.run(run_services(settings_of(context), lambda: print("ready", flush=True), services or SERVICES))


@app.command()
def check(context: typer.Context) -> None:
    """Check configuration, flow and prompts without touching hardware."""
    from firmware.services.check import check_everything

    for sentence in check_everything(settings_of(context)):
        print(sentence)


@app.command()
def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Tell the health of hardware and service, a line each."""
    from firmware.services.doctor import examine

    findings = examine(settings_of(context))
    if as_json:
        print(json.dumps([finding.to_json() for finding in findings], ensure_ascii=False))
    else:
        for finding in findings:
            print(finding)
    raise typer.Exit(0 if all(finding.good for finding in findings) else 1)


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="end after the call")] = False,
    power_cut: Annotated[bool, typer.Option("--power-cut", help="mains fails while the caller speaks")] = False,
    deliver: Annotated[
        bool, typer.Option("--deliver", help="records wait for a far end that is away, and go when it is back")
    ] = False,
) -> None:
    """A call on the simulated bench, told as it happens."""
    from firmware.journal import open_journal
    from firmware.services.demo import run_demo

    open_journal(faults_only=True)

    asyncio.run(run_demo(say, once=once, power_cut=power_cut, deliver=deliver))


@app.command()
def phone(
    line: Annotated[str, typer.Option(help="the bench line to call")] = "line1",
    number: Annotated[str, typer.Option(help="the number you call from")] = "13800138000",
) -> None:
    """A telephone in the terminal that calls a line of the running demonstration."""
    from firmware.journal import open_journal
    from firmware.services.phone import run_phone

    open_journal(faults_only=True)

    asyncio.run(run_phone(say, line, number))
