"""What each sound file was made from: `voice-prompts/files.yaml`, written by the build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from firmware.audio.catalogue import LANGUAGES
from firmware.errors import ConfigurationError, Problem
from firmware.yaml_source import YamlSource, parse_yaml

FILES_FILE = "files.yaml"
SYNTHESISED, RECORDED = "synthesised", "recorded"
_HEAD = """\
# What each sound file was made from. `linekeeper prompts build` writes this.
# For a person's own recording write `source: recorded` and the text checksum that `linekeeper prompts check` names;
# the build never touches that file, and the check tells when its text has changed since.
"""

FileId = tuple[str, str]
"""Language and prompt."""


@dataclass(frozen=True, slots=True)
class FileRecord:
    """Where one file comes from. `text` is the catalogue's checksum of what it says."""

    source: str
    voice: str
    text: str


def wav_path(folder: Path, file: FileId) -> Path:
    """Where the sound lies."""
    language, prompt = file
    return folder / language / f"{prompt}.wav"


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
        lines += [
            f"  {prompt}: {{source: {record.source}, voice: {record.voice}, text: '{record.text}'}}\n"
            for prompt, record in mine
        ]
    return "".join(lines)


def _read(source: YamlSource) -> dict[FileId, FileRecord]:
    records: dict[FileId, FileRecord] = {}
    problems: list[Problem] = []
    for language, prompt, entry in _entries(source.value):
        record = _record(entry)
        if record:
            records[language, prompt] = record
        else:
            problems.append(source.problem((language, prompt), "source, voice and text are needed, and nothing else"))
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


def _record(entry: object) -> FileRecord | None:
    if not isinstance(entry, dict) or entry.keys() != {"source", "voice", "text"}:
        return None
    if entry["source"] not in (SYNTHESISED, RECORDED):
        return None
    return FileRecord(entry["source"], str(entry["voice"]), str(entry["text"]))
