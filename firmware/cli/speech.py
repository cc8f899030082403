"""Speech models."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from firmware.cli.frame import group, settings_of

if TYPE_CHECKING:
    from firmware.speech.fetch import Fetcher

_speech = group("speech", "what understands callers")

# Written out, as importing it would load the downloader for every command.
_MODELS_URL = "https://alphacephei.com/vosk/models/"


@_speech.command("fetch")
def speech_fetch(
    context: typer.Context,
    languages: Annotated[list[str] | None, typer.Argument(help="zh, en; those of the configuration otherwise")] = None,
    base_url: Annotated[str, typer.Option(help="another site with the same files")] = _MODELS_URL,
    again: Annotated[bool, typer.Option("--again", help="also those that are there already")] = False,
) -> None:
    """Download the small Vosk models, some 40 MB each, and tell what to put into the configuration."""
    from firmware.speech.fetch import Fetcher, models_lines

    settings = settings_of(context)
    fetcher = Fetcher(settings.data_dir, base_url)
    wanted = languages or list(settings.languages)
    for language in wanted:
        if again or not fetcher.is_there(language):
            _fetch(fetcher, language)
    print("Put this into the configuration, and start the service again:\n")
    print(models_lines([(language, fetcher.model_folder(language)) for language in wanted]))


@_speech.command("check")
def speech_check(context: typer.Context) -> None:
    """Load every configured model in a worker and check all words that callers are asked for."""
    from firmware.services.speech_check import examine_speech

    settings = settings_of(context)
    if settings.speech.engine == "none":
        print("speech is not understood: `speech.engine` is none")
        return
    understood, problems = asyncio.run(examine_speech(settings.speech, settings.languages))
    print(f"understood: {', '.join(understood) or 'nothing'}")
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        raise typer.Exit(1)


def _fetch(fetcher: Fetcher, language: str) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    remote = fetcher.find(language)
    # What a program reads on standard output stays free of it.
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task(fetcher.model_folder(language).name, total=remote.size_bytes)
        fetcher.fetch(language, remote, lambda there: progress.update(bar, completed=there))
