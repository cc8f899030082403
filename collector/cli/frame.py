"""What every group of commands shares: the typer application, the database, and how rows are printed."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
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
Result = TypeVar("Result")


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


def print_rows(rows: list[dict[str, Any]], as_json: bool) -> None:
    """As a table for people, or as JSON. Times are ISO 8601."""
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, default=str))
        return
    from rich.console import Console
    from rich.table import Table

    if not rows:
        print("none yet")
        return
    table = Table(box=None, pad_edge=False)
    for name in rows[0]:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    # A program that reads this has no width to fit.
    Console(width=None if sys.stdout.isatty() else 240).print(table, markup=False)
