"""What every group of commands shares: the typer application, the database, and how rows are printed."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from collector.database import Database

_HELP = {"help_option_names": ["-h", "--help"]}
app = typer.Typer(no_args_is_help=True, context_settings=_HELP, add_completion=False, pretty_exceptions_enable=False)
# Some releases of typer bring their own copy of click; this finds the usage error of whichever it is.
UsageError: Any = typer.BadParameter.__mro__[1]
Json = Annotated[bool, typer.Option("--json", help="one JSON value on standard output")]
DatabaseUrl = Annotated[
    str,
    typer.Option(
        "--database",
        envvar="LINEKEEPER_COLLECTOR_DATABASE",
        help="where PostgreSQL is: postgresql://USER@HOST/NAME",
        show_envvar=True,
    ),
]
BlobsPlace = Annotated[
    str,
    typer.Option(
        "--blobs",
        envvar="LINEKEEPER_COLLECTOR_BLOBS",
        help="where recordings go: a folder, or s3://BUCKET/PREFIX (AWS_ variables)",
        show_envvar=True,
    ),
]
_WAIT_SECONDS = 3.0
# Nobody reads a table for its microseconds.
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?(\+00:00)")
Result = TypeVar("Result")
Columns = Callable[[dict[str, Any]], dict[str, Any]]


def group(name: str, about: str) -> typer.Typer:
    """A command with commands of its own."""
    made = typer.Typer(no_args_is_help=True, help=about, context_settings=_HELP)
    app.add_typer(made, name=name)
    return made


@app.callback()
def collector(
    verbose: Annotated[bool, typer.Option("--verbose", help="more in the journal")] = False,
) -> None:
    """The collector takes the records and recordings of many appliances, each exactly once."""
    from firmware.journal import open_journal

    open_journal(verbose=verbose)


def with_database(url: str, work: Callable[[Database], Awaitable[Result]]) -> Result:
    """Run `work` on an open database, in an event loop of its own. Raises: CollectorError."""

    async def run() -> Result:
        from collector.database import Database

        async with Database(url, most_connections=2, wait_seconds=_WAIT_SECONDS) as database:
            return await work(database)

    return asyncio.run(run())


def say(text: str) -> None:
    """A line on standard output, at once."""
    print(text, flush=True)


def complain(text: str) -> None:
    """A line on standard error."""
    print(text, file=sys.stderr, flush=True)


def print_rows(rows: list[dict[str, Any]], as_json: bool, people: Columns | None = None) -> None:
    """As a table for people, or as JSON, whose times are ISO 8601. `people` makes the columns that people need."""
    if as_json:
        say(in_json(rows))
        return
    from rich.console import Console
    from rich.table import Table

    if not rows:
        print("none yet")
        return
    shown = [people(row) for row in rows] if people else rows
    table = Table(box=None, pad_edge=False)
    for name in shown[0]:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in shown:
        table.add_row(*(cell(value) for value in row.values()))
    # A program that reads this has no width to fit.
    Console(width=None if sys.stdout.isatty() else 240).print(table, markup=False)


def cell(value: Any) -> str:
    """A value for people: times to the second in UTC, several things with commas between."""
    if value is None or value is False:
        return ""
    if isinstance(value, dict):
        return ", ".join(f"{name} {cell(inner)}" for name, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(cell(inner) for inner in value)
    if isinstance(value, datetime):
        value = value.isoformat()
    return "yes" if value is True else _TIME.sub(r"\1 \2Z", str(value))


def in_json(value: Any) -> str:
    """On one line; times are ISO 8601."""
    return json.dumps(value, ensure_ascii=False, default=_plain)


def counted(count: int, one: str, many: str | None = None) -> str:
    """`1 record`, `2 records`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
