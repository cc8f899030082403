"""`linekeeper prompts build`: speak the catalogue, at build time, on a machine that has the synthesisers and numpy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from firmware.audio.catalogue import LANGUAGES, Catalogue, load_catalogue
from firmware.audio.files import (
    FILES_FILE,
    SYNTHESISED,
    FileId,
    FileRecord,
    dump_files,
    load_files,
    sound_checksum,
    wav_path,
)
from firmware.audio.folder_lock import only_one
from firmware.audio.synthesis import describe_voice, synthesise
from firmware.audio.wav_files import load_s16
from firmware.durable_files import make_folder, plain_errors, write_durably
from firmware.errors import PromptError
from firmware.pcm import SampleFormat
from firmware.wav import NotAWav, dump


def build(folder: Path, *, only_changed: bool = True) -> list[str]:
    """Make the shipped sound files, and return those that were made as `language/prompt`.

    With `only_changed`, those whose text, voice or sound changed since, and those that are missing. A person's own
    recording is never replaced. Raises: ConfigurationError, PromptError, StorageError.
    """
    catalogue = load_catalogue(folder)
    with plain_errors(folder), only_one(folder):
        records = _measured(folder, catalogue, load_files(folder))
        wanted = [file for file in all_files(catalogue) if _is_due(folder, catalogue, records, file, only_changed)]
        made_by = voices_of(catalogue, wanted)
        for file in wanted:
            records[file] = _make(folder, catalogue, file, made_by[file[0]], records.get(file))
            write_durably(folder / FILES_FILE, dump_files(records).encode())
        if records != load_files(folder):
            write_durably(folder / FILES_FILE, dump_files(records).encode())
    return ["/".join(file) for file in wanted]


def all_files(catalogue: Catalogue) -> list[FileId]:
    """Every prompt in every language."""
    return [(language, prompt) for language in LANGUAGES for prompt in catalogue.prompts]


def voices_of(catalogue: Catalogue, files: list[FileId]) -> dict[str, str]:
    """Who will speak these, by language. Raises: PromptError when a voice is not there."""
    return {language: describe_voice(catalogue.voices[language]) for language in sorted({file[0] for file in files})}


def speak(catalogue: Catalogue, file: FileId) -> bytes:
    """One prompt, mastered: s16. Raises: PromptError."""
    try:
        from firmware.audio.mastering import master
    except ImportError as error:
        raise PromptError("building prompts needs numpy: pip install numpy") from error
    language, prompt = file
    return master(synthesise(catalogue.voice(prompt, language), catalogue.prompts[prompt].texts[language]))


def _measured(folder: Path, catalogue: Catalogue, records: dict[FileId, FileRecord]) -> dict[FileId, FileRecord]:
    """Without prompts that left the catalogue; with the checksum of each sound that was never taken."""
    return {
        file: record if record.sound else replace(record, sound=_sound_of(folder, file))
        for file, record in records.items()
        if file[1] in catalogue.prompts
    }


def _sound_of(folder: Path, file: FileId) -> str:
    """The checksum of the sound that lies there; nothing for one that is not there or not fit."""
    try:
        return sound_checksum(load_s16(wav_path(folder, file)))
    except (OSError, NotAWav):
        return ""


def _is_due(
    folder: Path, catalogue: Catalogue, records: dict[FileId, FileRecord], file: FileId, only_changed: bool
) -> bool:
    record = records.get(file)
    if record and record.source != SYNTHESISED and wav_path(folder, file).is_file():
        return False
    if not record or not record.sound or not only_changed:
        return True
    language, prompt = file
    return record.text != catalogue.checksum(prompt, language) or record.sound != _sound_of(folder, file)


def _make(folder: Path, catalogue: Catalogue, file: FileId, made_by: str, before: FileRecord | None) -> FileRecord:
    language, prompt = file
    s16 = speak(catalogue, file)
    sound = sound_checksum(s16)
    make_folder(folder / language)
    write_durably(wav_path(folder, file), dump(SampleFormat.S16, s16))
    version = 1 if before is None else before.version + (before.sound != sound)
    return FileRecord(SYNTHESISED, made_by, catalogue.checksum(prompt, language), sound, version)
