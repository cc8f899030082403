"""What calls left behind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firmware.cli.frame import Json, group, print_records, settings_of

if TYPE_CHECKING:
    from firmware.storage.queries import Records

_calls = group("calls", "calls that were offered")
messages = group("messages", "what callers left by voice")
_callbacks = group("callbacks", "who wants to be called")
_incidents = group("incidents", "faults, and what was done about them")
_INCIDENT_COLUMNS = ("number", "kind", "place", "started_at", "ended_at", "summary")
_lines = group("lines", "the telephone lines")


@_calls.command("list")
def calls_list(context: typer.Context, as_json: Json = False) -> None:
    """List every call, oldest first."""
    from firmware.services.caller_names import named

    with _records(context) as records:
        print_records(named(records.calls(), records.contact_names(), settings_of(context).country), as_json)


@messages.command("list")
def messages_list(context: typer.Context, as_json: Json = False) -> None:
    """List every message, oldest first."""
    from firmware.services.caller_names import named

    with _records(context) as records:
        print_records(named(records.messages(), records.contact_names(), settings_of(context).country), as_json)


@messages.command("export")
def messages_export(context: typer.Context, message: str, file: Path) -> None:
    """Write a message, named by id or number, as a WAV file."""
    with _records(context) as records:
        records.export_message(message, file)


@_callbacks.command("list")
def callbacks_list(context: typer.Context, as_json: Json = False) -> None:
    """List every callback request, oldest first."""
    with _records(context) as records:
        print_records(records.callbacks(), as_json)


@_incidents.command("list")
def incidents_list(context: typer.Context, as_json: Json = False) -> None:
    """List every incident, oldest first; `incidents report` tells all of one."""
    with _records(context) as records:
        found = records.incidents()
    if not as_json:
        found = [{name: incident[name] for name in _INCIDENT_COLUMNS} for incident in found]
    print_records(found, as_json)


@_incidents.command("report")
def incidents_report(
    context: typer.Context,
    incident: Annotated[str, typer.Argument(help="its id or number, as `incidents list` shows them")],
    language: Annotated[str | None, typer.Option(help="zh or en; the office's first language otherwise")] = None,
) -> None:
    """Print the filled-in report of an incident, to sign or to send."""
    from zoneinfo import ZoneInfo

    from firmware.clock import SystemClock
    from firmware.services.incident_report import LANGUAGES, report

    settings = settings_of(context)
    language = language or settings.languages[0]
    if language not in LANGUAGES:
        raise typer.BadParameter(f"no report is written in {language!r}; there are: {', '.join(LANGUAGES)}")
    now = SystemClock().now()
    with _records(context) as records:
        facts = records.incident_facts(incident, now)
    print(report(facts, language, ZoneInfo(settings.time_zone), now), end="")


@_lines.command("list")
def lines_list(context: typer.Context, as_json: Json = False) -> None:
    """List the lines and how they are."""
    from firmware.services.line_view import list_lines

    print_records(list_lines(settings_of(context)), as_json)


def _records(context: typer.Context) -> Records:
    from zoneinfo import ZoneInfo

    from firmware.storage.queries import Records

    settings = settings_of(context)
    return Records(settings.data_dir, ZoneInfo(settings.time_zone))
