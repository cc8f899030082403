"""`linekeeper prompts build`: speak the catalogue, at build time, on a machine that has the synthesisers and numpy."""

from __future__ import annotations

from pathlib import Path

from firmware.audio.catalogue import LANGUAGES, Catalogue, load_catalogue
from firmware.audio.files import (
    FILES_FILE,
    RECORDED,
    SYNTHESISED,
    FileId,
    FileRecord,
    dump_files,
    load_files,
    wav_path,
)
from firmware.audio.synthesis import check_voice, engine_version, synthesise
from firmware.errors import PromptError
from firmware.pcm import SampleFormat
from firmware.wav import dump


def build(folder: Path, *, only_changed: bool = True) -> list[str]:
    """Make the sound files, and return those that were made as `language/prompt`.

    With `only_changed`, those whose text or voice changed since, and those that are missing. A person's own recording
    is never replaced. Raises: ConfigurationError, PromptError.
    """
    catalogue = load_catalogue(folder)
    records = load_files(folder)
    wanted = [file for file in _all_files(catalogue) if _is_due(folder, catalogue, records, file, only_changed)]
    made_by = {language: _made_by(catalogue, language) for language in {language for language, _ in wanted}}
    for file in wanted:
        _make(folder, catalogue, file)
        language, prompt = file
        records[file] = FileRecord(SYNTHESISED, made_by[language], catalogue.checksum(prompt, language))
        _write(folder / FILES_FILE, dump_files(records).encode())
    _forget_removed(folder, catalogue, records)
    return [f"{language}/{prompt}" for language, prompt in wanted]


def _all_files(catalogue: Catalogue) -> list[FileId]:
    return [(language, prompt) for language in LANGUAGES for prompt in catalogue.prompts]


def _is_due(
    folder: Path, catalogue: Catalogue, records: dict[FileId, FileRecord], file: FileId, only_changed: bool
) -> bool:
    record = records.get(file)
    there = wav_path(folder, file).is_file()
    if there and record and record.source == RECORDED:
        return False
    language, prompt = file
    current = record is not None and record.text == catalogue.checksum(prompt, language)
    return not (only_changed and current and there)


def _made_by(catalogue: Catalogue, language: str) -> str:
    voice = catalogue.voices[language]
    check_voice(voice)
    return f"{voice.engine} {engine_version(voice.engine)} {voice.voice}"


def _make(folder: Path, catalogue: Catalogue, file: FileId) -> None:
    language, prompt = file
    try:
        from firmware.audio.mastering import master
    except ImportError as error:
        raise PromptError("building prompts needs numpy: pip install numpy") from error
    s16 = master(synthesise(catalogue.voice(prompt, language), catalogue.prompts[prompt].texts[language]))
    path = wav_path(folder, file)
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, dump(SampleFormat.S16, s16))


def _forget_removed(folder: Path, catalogue: Catalogue, records: dict[FileId, FileRecord]) -> None:
    kept = {file: record for file, record in records.items() if file[1] in catalogue.prompts}
    if kept.keys() != records.keys():
        _write(folder / FILES_FILE, dump_files(kept).encode())


def _write(path: Path, content: bytes) -> None:
    # An interrupted build leaves the old file or the new one.
    fresh = path.with_suffix(".new")
    fresh.write_bytes(content)
    fresh.replace(path)
