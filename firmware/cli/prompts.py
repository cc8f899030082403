"""The recorded voice: making, checking, listing, taking in what an office recorded, and the way back."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firmware.cli.frame import Json, group, print_records, say, settings_of
from firmware.errors import PromptError

if TYPE_CHECKING:
    from firmware.audio.catalogue import Catalogue
    from firmware.audio.files import FileId
    from firmware.audio.listing import Heard

_prompts = group("prompts", "the recorded voice")
_RESTART = "callers hear it from the next start of the calls service on"


@_prompts.command("build")
def prompts_build(
    context: typer.Context,
    every: Annotated[bool, typer.Option("--all", help="also those whose text has not changed")] = False,
    own: Annotated[bool, typer.Option("--own", help="for this office, beside its recordings")] = False,
    piper_voice: Annotated[
        list[str] | None, typer.Option(help="LANGUAGE=FILE.onnx: with --own, speak this language by piper")
    ] = None,
) -> None:
    """Speak every prompt whose text or voice changed, with flite, espeak-ng and piper."""
    from firmware.audio.build import build
    from firmware.audio.build_own import build_own
    from firmware.audio.catalogue import default_folder

    voices = _piper_voices(piper_voice or [])
    if own:
        made = build_own(default_folder(), _own(context), voices, only_changed=not every)
    elif voices:
        raise typer.BadParameter("--piper-voice goes with --own; the shipped prompts' voices stand in catalogue.yaml")
    else:
        made = build(default_folder(), only_changed=not every)
    for name in made:
        say(f"built {name}")


@_prompts.command("check")
def prompts_check(context: typer.Context) -> None:
    """Check every prompt for sound, wording and level; with --config, the office's own too."""
    from firmware.audio.catalogue import default_folder
    from firmware.audio.check import check

    problems = [str(problem) for problem in check(default_folder(), _own_if_configured(context))]
    for problem in problems:
        _complain(problem)
    if problems:
        raise typer.Exit(1)
    say("all prompts are good")


@_prompts.command("list")
def prompts_list(context: typer.Context, as_json: Json = False) -> None:
    """List what callers hear: who made each prompt, how long it is, how loud; with --config, the office's own."""
    from firmware.audio.catalogue import default_folder
    from firmware.audio.listing import heard_prompts

    heard = heard_prompts(default_folder(), _own_if_configured(context), _complain)
    print_records([_row(prompt) for prompt in heard], as_json)


@_prompts.command("import")
def prompts_import(
    context: typer.Context,
    folder: Path,
    language: Annotated[str | None, typer.Option(help="zh or en, for files that do not name theirs")] = None,
) -> None:
    """Take WAV, FLAC, MP3 and OGG files named like greeting.en.mp3 or en/greeting.mp3 as the office's own prompts."""
    from firmware.audio.catalogue import default_folder, load_catalogue

    _check_languages([language] if language else [])
    own = _own(context)
    taken, refused = _import(folder, own, load_catalogue(default_folder()), language)
    if taken:
        say(_RESTART)
    if not taken and not refused:
        _complain(f"linekeeper: there are no sound files in {folder}")
    if refused or not taken:
        raise typer.Exit(1)


@_prompts.command("roll-back")
def prompts_roll_back(
    context: typer.Context,
    prompt: Annotated[str, typer.Argument(help="LANGUAGE/ID, such as en/greeting")],
    to: Annotated[int | None, typer.Option(min=0, help="this version; 0 is the one that came with us")] = None,
) -> None:
    """Go back to the version of a prompt before the current one; no version is lost by it."""
    from firmware.audio.own_prompts import SHIPPED, roll_back

    version = roll_back(_own(context), _file_id(prompt), to)
    say(f"{prompt}: {f'version {version}' if version != SHIPPED else 'the sound that came with us'}; {_RESTART}")


def _import(folder: Path, own: Path, catalogue: Catalogue, language: str | None) -> tuple[int, int]:
    """Say what becomes of each file; how many were taken, and how many refused."""
    from firmware.audio.import_names import shown

    try:
        from firmware.audio.importing import Imported, import_folder
    except ImportError as error:
        raise PromptError("taking in sound files needs numpy: pip install 'linekeeper[sound]'") from error
    taken = refused = 0
    for outcome in import_folder(folder, own, catalogue, language):
        if isinstance(outcome, Imported):
            taken += 1
            say(f"{'/'.join(outcome.file)}: version {outcome.version}, {outcome.seconds:.1f} s, {shown(outcome.path)}")
        else:
            refused += 1
            _complain(f"{shown(outcome.path)}: {outcome.reason}")
    return taken, refused


def _row(heard: Heard) -> dict[str, object]:
    language, prompt = heard.file
    return {
        "id": prompt,
        "language": language,
        "source": heard.source,
        "own": heard.own,
        "version": heard.version,
        "seconds": heard.seconds,
        "level_dbfs": heard.level_dbfs,
    }


def _own(context: typer.Context) -> Path:
    from firmware.audio.own_versions import own_folder

    return own_folder(settings_of(context).data_dir)


def _own_if_configured(context: typer.Context) -> Path | None:
    return None if context.obj is None else _own(context)


def _file_id(name: str) -> FileId:
    language, _, prompt = name.partition("/")
    return language, prompt


def _piper_voices(given: Sequence[str]) -> dict[str, Path]:
    pairs = [text.partition("=") for text in given]
    if not all(file for _, _, file in pairs):
        raise typer.BadParameter("--piper-voice takes LANGUAGE=FILE, such as en=/home/me/en_GB-alba-medium.onnx")
    _check_languages([language for language, _, _ in pairs])
    return {language: Path(file) for language, _, file in pairs}


def _check_languages(languages: Sequence[str]) -> None:
    from firmware.audio.catalogue import LANGUAGES

    for language in languages:
        if language not in LANGUAGES:
            raise typer.BadParameter(f'there is no language "{language}"; there are {" and ".join(LANGUAGES)}')


def _complain(text: str) -> None:
    print(text, file=sys.stderr)
