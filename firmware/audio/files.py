"""What each sound was made from: `files.yaml` of the shipped prompts, and the record of each of an office's own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from firmware.audio.catalogue import LANGUAGES, Catalogue
from firmware.errors import ConfigurationError, Problem
from firmware.yaml_source import YamlSource, parse_yaml

FILES_FILE = "files.yaml"
SYNTHESISED, RECORDED, UPLOADED = "synthesised", "recorded", "uploaded"
SOURCES = (SYNTHESISED, RECORDED, UPLOADED)
_HEAD = """\
# What each sound file was made from. `linekeeper prompts build` writes this: who spoke, the checksum of the text (and,
# for a synthesiser, of its voice), the checksum of the sound, and how often that sound has changed.
# For a person's own recording write `source: recorded` and the text checksum that `linekeeper prompts check` names;
# the build never touches that file, and the check tells when its text has changed since.
"""
_NEEDED, _KNOWN = {"source", "voice", "text"}, {"source", "voice", "text", "sound", "version"}
# Words that YAML takes as they stand, whatever its rules for numbers and truth values.
_PLAIN = re.compile(r"[A-Za-z][\w.+-]*( [\w.+-]+)+", re.ASCII)

FileId = tuple[str, str]
"""Language and prompt."""


@dataclass(frozen=True, slots=True)
class FileRecord:
    """Where one sound comes from.

    `text` is the catalogue's checksum of what it says: with the voice's settings for a shipped sound that a
    synthesiser made (`expected_text`), else of the text alone. `sound` is the checksum of the samples, or nothing
    where that was never taken. `version` counts the sounds that this prompt has had, from 1.
    """

    source: str
    voice: str
    text: str
    sound: str = ""
    version: int = 1


def wav_path(folder: Path, file: FileId) -> Path:
    """Where the sound lies."""
    language, prompt = file
    return folder / language / f"{prompt}.wav"


def sound_checksum(s16: bytes) -> str:
    """Of the samples alone, so that another way to write the header changes nothing."""
    return hashlib.sha256(s16).hexdigest()[:16]


def expected_text(catalogue: Catalogue, file: FileId, source: str) -> str:
    """The text checksum of a shipped sound that says what the catalogue says now; people have no voice settings."""
    language, prompt = file
    of_text = catalogue.checksum if source == SYNTHESISED else catalogue.text_checksum
    return of_text(prompt, language)


def load_files(folder: Path) -> dict[FileId, FileRecord]:
    """The records of a prompts folder; none before the first build. Raises: ConfigurationError."""
    path = folder / FILES_FILE
    try:
        source = parse_yaml(str(path), path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError([Problem(str(path), 0, f"cannot be read: {error}")]) from error
    return _read(source)


def dump_files(records: Mapping[FileId, FileRecord]) -> str:
    """The file's text, in a stable order so that a difference shows what changed."""
    lines = [_HEAD]
    for language in LANGUAGES:
        mine = sorted((prompt, record) for (spoken, prompt), record in records.items() if spoken == language)
        if mine:
            lines.append(f"{language}:\n")
        lines += [f"  {prompt}: {dump_record(record)}\n" for prompt, record in mine]
    return "".join(lines)


def dump_record(record: FileRecord) -> str:
    """One record as a YAML flow mapping."""
    voice = record.voice if _PLAIN.fullmatch(record.voice) else _quoted(record.voice)
    sound = f"sound: '{record.sound}', " if record.sound else ""
    return f"{{source: {record.source}, voice: {voice}, text: '{record.text}', {sound}version: {record.version}}}"


def _quoted(text: str) -> str:
    """For YAML; JSON's way is not enough, which writes rare characters as two halves."""
    kept = (letter if letter.isprintable() and letter not in '"\\' else f"\\U{ord(letter):08X}" for letter in text)
    return f'"{"".join(kept)}"'


def read_record(entry: object) -> FileRecord | None:
    """The inverse of `dump_record`, from the parsed value; None for anything else."""
    if not isinstance(entry, dict) or not _NEEDED <= entry.keys() <= _KNOWN or entry["source"] not in SOURCES:
        return None
    version = entry.get("version", 1)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        return None
    return FileRecord(entry["source"], str(entry["voice"]), str(entry["text"]), str(entry.get("sound", "")), version)


def _read(source: YamlSource) -> dict[FileId, FileRecord]:
    records: dict[FileId, FileRecord] = {}
    problems: list[Problem] = []
    for language, prompt, entry in _entries(source.value):
        record = read_record(entry)
        if record:
            records[language, prompt] = record
        else:
            told = "source, voice and text are needed, then sound and version, and nothing else"
            problems.append(source.problem((language, prompt), told))
    if problems:
        raise ConfigurationError(problems)
    return records


def _entries(value: object) -> list[tuple[str, str, object]]:
    languages = value.items() if isinstance(value, dict) else ()
    return [
        (str(language), str(prompt), entry)
        for language, prompts in languages
        for prompt, entry in (prompts.items() if isinstance(prompts, dict) else ())
    ]
