"""The office's own prompts: `<data_dir>/prompts/<language>/<prompt>/<version>.wav`, each with its record beside it.

The highest version that nobody withdrew is the current one. A record is written after its sound, so a version without
a whole record never was, and a power cut leaves nothing half done. Needs no numpy: calls read this.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from firmware.audio.catalogue import LANGUAGES, PROMPT_ID
from firmware.audio.files import FileId, FileRecord, read_record, sound_checksum
from firmware.audio.wav_files import load_s16
from firmware.errors import ConfigurationError, PromptError
from firmware.wav import NotAWav
from firmware.yaml_source import parse_yaml

_OWN_FOLDER = "prompts"
_RECORD_NAME = re.compile(r"([1-9][0-9]{0,8})(\.withdrawn)?\.yaml")
_LARGEST_RECORD_BYTES = 10_000


@dataclass(frozen=True, slots=True)
class Version:
    """One version of one prompt on the disk; whether it is whole shows when it is loaded."""

    folder: Path
    number: int
    withdrawn: bool

    @property
    def wav(self) -> Path:
        """Where its sound lies."""
        return self.folder / f"{self.number}.wav"

    @property
    def record(self) -> Path:
        """Where its record lies; the name tells whether it was withdrawn."""
        return self.folder / f"{self.number}{'.withdrawn' if self.withdrawn else ''}.yaml"


@dataclass(frozen=True, slots=True)
class OwnSound:
    """A version that is whole."""

    record: FileRecord
    s16: bytes


def own_folder(data_dir: Path) -> Path:
    """Where an office's own prompts lie; it need not exist."""
    return data_dir / _OWN_FOLDER


def version_folder(own: Path, file: FileId) -> Path:
    """Where the versions of one prompt lie. Raises: PromptError for what is no language or no name of a prompt."""
    language, prompt = file
    if language not in LANGUAGES or not PROMPT_ID.fullmatch(prompt):
        raise PromptError(f'"{language}/{prompt}" is no prompt; name one as language/name, such as en/greeting')
    return own / language / prompt


def own_files(own: Path) -> list[FileId]:
    """The prompts of which an office has versions of its own. Raises: OSError."""
    return [
        (language, folder.name)
        for language in LANGUAGES
        if (own / language).is_dir()
        for folder in sorted((own / language).iterdir())
        if folder.is_dir() and PROMPT_ID.fullmatch(folder.name)
    ]


def versions(own: Path, file: FileId) -> list[Version]:
    """All versions, the newest first. Raises: PromptError as `version_folder`; OSError."""
    folder = version_folder(own, file)
    if not folder.is_dir():
        return []
    found = [match for path in folder.iterdir() if (match := _RECORD_NAME.fullmatch(path.name))]
    made = {int(match[1]): Version(folder, int(match[1]), match[2] is not None) for match in found}
    return [made[number] for number in sorted(made, reverse=True)]


def load_version(version: Version) -> OwnSound:
    """Its record and samples. Raises: PromptError as a sentence when any part of it is not as it was kept."""
    unusable = f"version {version.number} of {version.folder.parent.name}/{version.folder.name} cannot be used"
    try:
        record = _load_record(version.record)
        s16 = load_s16(version.wav)
    except (OSError, NotAWav, ConfigurationError) as error:
        raise PromptError(f"{unusable}: {error}") from error
    if record is None or record.version != version.number:
        raise PromptError(f"{unusable}: {version.record.name} does not describe it")
    if record.sound != sound_checksum(s16):
        raise PromptError(f"{unusable}: its sound is not the one that was kept")
    return OwnSound(record, s16)


def current_sound(own: Path, file: FileId, on_problem: Callable[[str], None]) -> OwnSound | None:
    """The newest version that is whole, None where there is none; each broken one before it is told.

    Raises: PromptError as `version_folder`; OSError.
    """
    for version in versions(own, file):
        if version.withdrawn:
            continue
        try:
            return load_version(version)
        except PromptError as error:
            on_problem(f"{error}; callers hear the version before it")
    return None


def _load_record(path: Path) -> FileRecord | None:
    # The most that is read of a file that something has blown up.
    with path.open("rb") as file:
        content = file.read(_LARGEST_RECORD_BYTES)
    try:
        return read_record(parse_yaml(path.name, content.decode()).value)
    except UnicodeDecodeError:
        return None
