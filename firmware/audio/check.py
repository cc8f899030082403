"""`linekeeper prompts check`: whether all prompts are there, fit for the line, and say what the catalogue says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from firmware.audio.catalogue import LANGUAGES, Catalogue, load_catalogue
from firmware.audio.files import FileId, FileRecord, expected_text, load_files, sound_checksum, wav_path
from firmware.audio.mandarin_trap import trap_problems
from firmware.audio.own_check import own_problems
from firmware.audio.sound_rules import sample_problems
from firmware.audio.wording import wording_problems
from firmware.errors import ConfigurationError, Problem
from firmware.pcm import SampleFormat
from firmware.units import SAMPLE_RATE_HZ
from firmware.wav import NotAWav, parse


def check(folder: Path, own: Path | None = None) -> list[Problem]:
    """Everything that is wrong with a prompts folder, and with an office's own prompts, in one go. Never raises."""
    try:
        catalogue = load_catalogue(folder)
        records = load_files(folder)
    except ConfigurationError as error:
        return list(error.problems)
    problems = [
        *wording_problems(catalogue),
        *trap_problems(folder, catalogue, records),
        *_extra_problems(folder, catalogue, records),
        *(problem for file in _files(catalogue) for problem in _file_problems(folder, catalogue, records, file)),
        *(own_problems(own, catalogue) if own else ()),
    ]
    return sorted(problems, key=lambda problem: (problem.source, problem.line))


def _files(catalogue: Catalogue) -> list[FileId]:
    return [(language, prompt) for language in LANGUAGES for prompt in catalogue.prompts]


def _extra_problems(folder: Path, catalogue: Catalogue, records: dict[FileId, FileRecord]) -> Iterator[Problem]:
    expected = {wav_path(folder, file) for file in _files(catalogue)}
    for language in LANGUAGES:
        if not (folder / language).is_dir():
            continue
        for path in sorted((folder / language).iterdir()):
            if path not in expected:
                yield Problem(str(path), 0, "no prompt of the catalogue uses this file; remove it")
    for language, prompt in sorted(records.keys() - set(_files(catalogue))):
        yield Problem(str(folder), 0, f"files.yaml names {language}/{prompt}, which the catalogue does not have")


def _file_problems(
    folder: Path, catalogue: Catalogue, records: dict[FileId, FileRecord], file: FileId
) -> Iterator[Problem]:
    language, prompt = file
    path = wav_path(folder, file)
    if not path.is_file():
        yield catalogue.problem(prompt, language, "the sound file is missing; run `linekeeper prompts build`")
        return
    for text in _record_problems(catalogue, records.get(file), file):
        yield catalogue.problem(prompt, language, text)
    for text in _sound_problems(path, records.get(file)):
        yield Problem(str(path), 0, text)


def _record_problems(catalogue: Catalogue, record: FileRecord | None, file: FileId) -> Iterator[str]:
    if record is None:
        checksum = catalogue.text_checksum(file[1], file[0])
        yield f"files.yaml does not say what made it; a person's recording of this text has text: '{checksum}'"
        return
    checksum = expected_text(catalogue, file, record.source)
    if record.text != checksum:
        yield f"the text changed after the sound was made; it is now '{checksum}'"
    if not record.sound:
        yield "files.yaml has no checksum of its sound; run `linekeeper prompts build`"


def _sound_problems(path: Path, record: FileRecord | None) -> Iterator[str]:
    try:
        wav = parse(path.read_bytes())
    except (OSError, NotAWav) as error:
        yield f"cannot be read: {error}"
        return
    if wav.sample_format is not SampleFormat.S16 or wav.rate_hz != SAMPLE_RATE_HZ or len(wav.data) % 2:
        yield f"16-bit samples at {SAMPLE_RATE_HZ} Hz are needed"
        return
    sound = sound_checksum(wav.data)
    if record and record.sound and record.sound != sound:
        yield f"the sound is not the one that files.yaml describes; where that is meant, write sound: '{sound}' there"
    yield from sample_problems(wav.data)
