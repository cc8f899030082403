"""`linekeeper prompts check`: whether all prompts are there, fit for the line, and say what the catalogue says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from firmware.audio.catalogue import LANGUAGES, Catalogue, load_catalogue
from firmware.audio.files import FileId, FileRecord, load_files, wav_path
from firmware.audio.level import active_level_dbfs, peak_dbfs
from firmware.audio.wording import wording_problems
from firmware.errors import ConfigurationError, Problem
from firmware.pcm import SampleFormat
from firmware.units import SAMPLE_RATE_HZ, samples_to_seconds, seconds_to_samples
from firmware.wav import NotAWav, parse

LONGEST_SECONDS = 12.0
LOWEST_DBFS, HIGHEST_DBFS = -22.0, -18.0
HIGHEST_PEAK_DBFS = -6.0
# What begins or ends louder than this clicks.
_CLICK_DBFS = -45.0
_CLICK_SAMPLES = seconds_to_samples(0.002)


def check(folder: Path) -> list[Problem]:
    """Everything that is wrong with a prompts folder, in one go. Never raises."""
    try:
        catalogue = load_catalogue(folder)
        records = load_files(folder)
    except ConfigurationError as error:
        return list(error.problems)
    problems = [
        *wording_problems(catalogue),
        *_extra_problems(folder, catalogue, records),
        *(problem for file in _files(catalogue) for problem in _file_problems(folder, catalogue, records, file)),
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
    checksum = catalogue.checksum(prompt, language)
    if file not in records:
        yield catalogue.problem(prompt, language, f"files.yaml does not say what made it; its text is '{checksum}'")
    elif records[file].text != checksum:
        yield catalogue.problem(prompt, language, f"the text changed after the sound was made; it is now '{checksum}'")
    for text in _sound_problems(path):
        yield Problem(str(path), 0, text)


def _sound_problems(path: Path) -> Iterator[str]:
    try:
        wav = parse(path.read_bytes())
    except (OSError, NotAWav) as error:
        yield f"cannot be read: {error}"
        return
    if wav.sample_format is not SampleFormat.S16 or wav.rate_hz != SAMPLE_RATE_HZ or len(wav.data) % 2:
        yield f"16-bit samples at {SAMPLE_RATE_HZ} Hz are needed"
        return
    seconds = samples_to_seconds(len(wav.data) // 2)
    if seconds > LONGEST_SECONDS:
        yield f"it lasts {seconds:.1f} s; nothing may be longer than {LONGEST_SECONDS:.0f} s"
    yield from _level_problems(wav.data)


def _level_problems(s16: bytes) -> Iterator[str]:
    level = active_level_dbfs(s16)
    if not LOWEST_DBFS <= level <= HIGHEST_DBFS:
        kind = "quiet" if level < LOWEST_DBFS else "loud"
        yield f"it is too {kind}: {level:.1f} dBFS; {LOWEST_DBFS:.0f} to {HIGHEST_DBFS:.0f} are needed"
    peak = peak_dbfs(s16)
    if peak > HIGHEST_PEAK_DBFS:
        kind = "it is clipped" if peak > -0.01 else "its peaks are too high"
        yield f"{kind}: {peak:.1f} dBFS; {HIGHEST_PEAK_DBFS:.0f} is the most"
    for place, edge in (("begins", s16[: 2 * _CLICK_SAMPLES]), ("ends", s16[-2 * _CLICK_SAMPLES :])):
        if peak_dbfs(edge) > _CLICK_DBFS:
            yield f"it {place} with a click; leave a little silence there"
