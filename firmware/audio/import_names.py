"""Which prompt each file of an office's folder is meant for, told by its name. Nothing is opened here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from firmware.audio.catalogue import LANGUAGES, Catalogue
from firmware.audio.files import FileId
from firmware.errors import PromptError
from firmware.yaml_source import did_you_mean

_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg")
_LONGEST_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that was left alone, and why, as the end of a sentence about it."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file, and what it is meant for."""

    path: Path
    file: FileId


def shown(path: Path) -> str:
    """A file's name for people: no line breaks, control characters or bytes that are no text, and no novel."""
    name = "".join(letter if letter.isprintable() else "?" for letter in path.name)
    return name if len(name) <= _LONGEST_SHOWN else f"{name[:_LONGEST_SHOWN]}…"


def candidates(folder: Path, catalogue: Catalogue, language: str | None) -> Iterator[Candidate | Refused]:
    """Every file of a folder and of its folders `zh` and `en`, in order of their names.

    Hidden files are passed over. `language` counts for files that do not name theirs. Raises: PromptError when the
    folder cannot be read.
    """
    meant: dict[FileId, list[Path]] = {}
    for path, spoken in _files(folder):
        try:
            meant.setdefault(_meaning(path, spoken, catalogue, language), []).append(path)
        except PromptError as error:
            yield Refused(path, str(error))
    for file, paths in sorted(meant.items()):
        if len(paths) == 1:
            yield Candidate(paths[0], file)
            continue
        names = " and ".join(shown(path) for path in paths)
        yield from (Refused(path, f"{names} are both meant for {'/'.join(file)}; keep one of them") for path in paths)


def _files(folder: Path) -> Iterator[tuple[Path, str | None]]:
    for path in _listed(folder):
        if path.name.lower() in LANGUAGES and path.is_dir() and not path.is_symlink():
            yield from ((inner, path.name.lower()) for inner in _listed(path))
        else:
            yield path, None


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise PromptError(f"the folder {folder} cannot be read: {error.strerror or error}") from error


def _meaning(path: Path, spoken: str | None, catalogue: Catalogue, language: str | None) -> FileId:
    if path.is_symlink():
        raise PromptError("it is a link; copy the file itself there")
    if not path.is_file():
        raise PromptError("it is no sound file; recordings lie in the folder itself, or in folders zh and en")
    if path.suffix.lower() not in _SUFFIXES:
        raise PromptError("it is no WAV, FLAC, MP3 or OGG file; save it as one of these")
    prompt, _, tag = path.name[: -len(path.suffix)].lower().partition(".")
    if prompt not in catalogue.prompts:
        raise PromptError(f"no prompt is called so{did_you_mean(prompt, catalogue.prompts)}; `prompts list` names all")
    return _language(tag, spoken, language), prompt


def _language(tag: str, spoken: str | None, otherwise: str | None) -> str:
    if tag and tag not in LANGUAGES:
        raise PromptError(f'"{shown(Path(tag))}" in its name is no language; there are {" and ".join(LANGUAGES)}')
    if tag and spoken and tag != spoken:
        raise PromptError("its name and its folder tell different languages")
    language = tag or spoken or otherwise
    if not language:
        raise PromptError("its language is not known; name it like greeting.en.mp3, or put it into a folder zh or en")
    return language
