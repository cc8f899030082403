"""Simulated lines for other programs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from firmware.cli.frame import group, say

_bench = group("bench", "simulated lines for your own clients")


@_bench.command("serve")
def bench_serve(
    lines: Annotated[int, typer.Option(min=1, max=128)] = 1,
    profile: str = "conexant",
    country: str = "CN",
    directory: Annotated[Path | None, typer.Option(help="where the ttys appear")] = None,
) -> None:
    """Simulated lines alone: JSON lines in (commands) and out (events)."""
    from firmware.services.bench import serve_on_standard_streams

    asyncio.run(serve_on_standard_streams(lines, profile, country, directory, say))
