"""What every group of commands shares: the typer application, the configuration, and how records are printed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from firmware.settings import Settings

_HELP = {"help_option_names": ["-h", "--help"]}
app = typer.Typer(no_args_is_help=True, context_settings=_HELP, add_completion=False, pretty_exceptions_enable=False)
# Some releases of typer bring their own copy of click; this finds the usage error of whichever it is.
UsageError: Any = typer.BadParameter.__mro__[1]
Json = Annotated[bool, typer.Option("--json", help="one JSON value on standard output")]


def group(name: str, about: str) -> typer.Typer:
    """A command with commands of its own."""
    made = typer.Typer(no_args_is_help=True, help=about, context_settings=_HELP)
    app.add_typer(made, name=name)
    return made


@app.callback()
def linekeeper(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option(envvar="LINEKEEPER_CONFIG", help="configuration file")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="more in the journal")] = False,
) -> None:
    """Linekeeper answers a small office's telephone lines."""
    from firmware.journal import open_journal

    context.obj = config
    open_journal(verbose=verbose)


def settings_of(context: typer.Context) -> Settings:
    """The configuration that the command line names. Raises: ConfigurationError."""
    from firmware.services.shared_configuration import with_shared
    from firmware.settings import load_settings

    if context.obj is None:
        raise typer.BadParameter("name the configuration with --config FILE, or in LINEKEEPER_CONFIG")
    return with_shared(load_settings(context.obj))


def say(text: str) -> None:
    """A line on standard output, at once."""
    print(text, flush=True)


def print_records(records: list[dict[str, Any]], as_json: bool) -> None:
    """As a table for people, or as JSON."""
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
