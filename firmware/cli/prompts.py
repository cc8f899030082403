"""The recorded voice."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from firmware.cli.frame import group

_prompts = group("prompts", "the recorded voice")


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
