"""The `linekeeper` command: commands, nothing else.

Exit status: 0 good, 1 failed, 2 wrong usage or configuration. Errors go to standard error, a line each.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from firmware.errors import ConfigurationError, LinekeeperError

if TYPE_CHECKING:
    from firmware.settings import Settings
    from firmware.storage.queries import Records

_HELP = {"help_option_names": ["-h", "--help"]}
app = typer.Typer(no_args_is_help=True, context_settings=_HELP, add_completion=False, pretty_exceptions_enable=False)
# Some releases of typer bring their own copy of click; this finds the usage error of whichever it is.
_UsageError: Any = typer.BadParameter.__mro__[1]
Json = Annotated[bool, typer.Option("--json", help="one JSON value on standard output")]


def _group(name: str, about: str) -> typer.Typer:
    group = typer.Typer(no_args_is_help=True, help=about, context_settings=_HELP)
    app.add_typer(group, name=name)
    return group


_calls = _group("calls", "calls that were offered")
_messages = _group("messages", "what callers left by voice")
_callbacks = _group("callbacks", "who wants to be called")
_incidents = _group("incidents", "faults, and what was done about them")
_lines = _group("lines", "the telephone lines")
_flow = _group("flow", "what callers hear and can do")
_prompts = _group("prompts", "the recorded voice")
_bench = _group("bench", "simulated lines for your own clients")


@app.callback()
def _linekeeper(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option(envvar="LINEKEEPER_CONFIG", help="configuration file")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="more in the journal")] = False,
) -> None:
    """Linekeeper answers a small office's telephone lines."""
    from firmware.journal import open_journal

    context.obj = config
    open_journal(verbose=verbose)


def _settings(context: typer.Context) -> Settings:
    from firmware.settings import load_settings

    if context.obj is None:
        raise typer.BadParameter("name the configuration with --config FILE, or in LINEKEEPER_CONFIG")
    return load_settings(context.obj)


@app.command()
def run(
    context: typer.Context,
    services: Annotated[list[str] | None, typer.Argument(help="all of them, or: calls")] = None,
) -> None:
    """Answer the lines until told to stop; prints `ready` once they can ring."""
    from firmware.services.run import SERVICES, run_services

    unknown = sorted(set(services or []) - set(SERVICES))
    if unknown:
        raise typer.BadParameter(f"no service is called {', '.join(unknown)}; there is: {', '.join(SERVICES)}")
    asyncio.run(run_services(_settings(context), lambda: print("ready", flush=True)))


@app.command()
def check(context: typer.Context) -> None:
    """Check configuration, flow and prompts without touching hardware."""
    from firmware.services.check import check_everything

    for sentence in check_everything(_settings(context)):
        print(sentence)


@app.command()
def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Tell the health of hardware and service, a line each."""
    from firmware.services.doctor import examine

    findings = examine(_settings(context))
    if as_json:
        print(json.dumps([finding.to_json() for finding in findings], ensure_ascii=False))
    else:
        for finding in findings:
            print(finding)
    raise typer.Exit(0 if all(finding.good for finding in findings) else 1)


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="end after the call")] = False,
) -> None:
    """A call on the simulated bench, told as it happens."""
    from firmware.journal import open_journal
    from firmware.services.demo import run_demo

    open_journal(faults_only=True)

    asyncio.run(run_demo(_say, once=once))


@app.command()
def phone(
    line: Annotated[str, typer.Option(help="the bench line to call")] = "line1",
    number: Annotated[str, typer.Option(help="the number you call from")] = "13800138000",
) -> None:
    """A telephone in the terminal that calls a line of the running demonstration."""
    from firmware.journal import open_journal
    from firmware.services.phone import run_phone

    open_journal(faults_only=True)

    asyncio.run(run_phone(_say, line, number))


def _say(text: str) -> None:
    print(text, flush=True)


@_calls.command("list")
def calls_list(context: typer.Context, as_json: Json = False) -> None:
    """List every call, oldest first."""
    with _records(context) as records:
        _print_records(records.calls(), as_json)


@_messages.command("list")
def messages_list(context: typer.Context, as_json: Json = False) -> None:
    """List every message, oldest first."""
    with _records(context) as records:
        _print_records(records.messages(), as_json)


@_messages.command("export")
def messages_export(context: typer.Context, message: str, file: Path) -> None:
    """Write a message, named by id or number, as a WAV file."""
    with _records(context) as records:
        records.export_message(message, file)


@_callbacks.command("list")
def callbacks_list(context: typer.Context, as_json: Json = False) -> None:
    """List every callback request, oldest first."""
    with _records(context) as records:
        _print_records(records.callbacks(), as_json)


@_incidents.command("list")
def incidents_list(context: typer.Context, as_json: Json = False) -> None:
    """List every incident, oldest first."""
    with _records(context) as records:
        _print_records(records.incidents(), as_json)


@_lines.command("list")
def lines_list(context: typer.Context, as_json: Json = False) -> None:
    """List the lines and how they are."""
    from firmware.services.line_view import list_lines

    _print_records(list_lines(_settings(context)), as_json)


def _records(context: typer.Context) -> Records:
    from zoneinfo import ZoneInfo

    from firmware.storage.queries import Records

    settings = _settings(context)
    return Records(settings.data_dir, ZoneInfo(settings.time_zone))


def _print_records(records: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(records, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    if not records:
        print("none yet")
        return
    table = Table(box=None, pad_edge=False)
    for name in records[0]:
        table.add_column(name, overflow="fold")
    for record in records:
        table.add_row(*(_cell(value) for value in record.values()))
    # A program that reads this has no width to fit.
    Console(width=None if sys.stdout.isatty() else 240).print(table, markup=False)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(str(item) for item in value)
    return "" if value is None else str(value)


@_flow.command("check")
def flow_check(file: str) -> None:
    """Check a flow file, or builtin:office, and tell every mistake with its line."""
    from firmware.services.check import load_flow_by_name

    flow = load_flow_by_name(file)
    print(f"{file}: {len(flow.steps)} steps, all good")


@_flow.command("draw")
def flow_draw(file: str) -> None:
    """Draw a flow as a Mermaid diagram."""
    from firmware.services.check import draw_flow_by_name

    print(draw_flow_by_name(file))


@_prompts.command("build")
def prompts_build(
    every: Annotated[bool, typer.Option("--all", help="also those whose text has not changed")] = False,
) -> None:
    """Speak every prompt whose text changed, with flite and espeak-ng."""
    from firmware.audio.build import build
    from firmware.audio.catalogue import default_folder

    for name in build(default_folder(), only_changed=not every):
        print(f"built {name}")


@_prompts.command("check")
def prompts_check() -> None:
    """Check that every prompt is there, in good wording and at an even level."""
    from firmware.audio.catalogue import default_folder
    from firmware.audio.check import check as check_prompts

    problems = [str(problem) for problem in check_prompts(default_folder())]
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        raise typer.Exit(1)
    print("all prompts are good")


@_bench.command("serve")
def bench_serve(
    lines: Annotated[int, typer.Option(min=1, max=128)] = 1,
    profile: str = "conexant",
    country: str = "CN",
    directory: Annotated[Path | None, typer.Option(help="where the ttys appear")] = None,
) -> None:
    """Simulated lines alone: JSON lines in (commands) and out (events)."""
    from firmware.services.bench import serve_on_standard_streams

    asyncio.run(serve_on_standard_streams(lines, profile, country, directory, _say))


def main() -> None:
    """Run the command line; turn errors into a line each and an exit status."""
    sys.exit(_run_guarded())


def _run_guarded() -> int:
    try:
        status = app(standalone_mode=False)
    except _UsageError as error:
        if message := error.format_message():  # none where the help was shown instead
            print(f"linekeeper: {message}", file=sys.stderr)
        return 2
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    except LinekeeperError as error:
        print(f"linekeeper: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, typer.Abort):
        return 130
    return status or 0


if __name__ == "__main__":
    main()
