"""Checking the office's own prompts: whole, fit for the line, and still saying what the catalogue says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from firmware.audio.catalogue import Catalogue
from firmware.audio.espeak_ng import was_trapped
from firmware.audio.files import FileId
from firmware.audio.own_versions import OwnSound, Version, load_version, own_files, versions
from firmware.audio.sound_rules import sample_problems
from firmware.errors import Problem, PromptError


def own_problems(own: Path, catalogue: Catalogue) -> Iterator[Problem]:
    """Of every version that could be heard; those that were withdrawn are at rest. Never raises."""
    try:
        files = own_files(own)
        standing = [(file, version) for file in files for version in versions(own, file) if not version.withdrawn]
    except OSError as error:
        yield Problem(str(own), 0, f"cannot be read: {error}")
        return
    seen: set[FileId] = set()
    for file, version in standing:
        # The older ones are there for the day when the newest breaks; only what is heard now must be up to date.
        yield from _version_problems(catalogue, file, version, is_current=file not in seen)
        seen.add(file)


def _version_problems(catalogue: Catalogue, file: FileId, version: Version, *, is_current: bool) -> Iterator[Problem]:
    try:
        sound = load_version(version)
    except PromptError as error:
        yield Problem(str(version.wav), 0, f"{error}; record it again, or roll it back")
        return
    if is_current:
        for text in _sound_problems(catalogue, file, sound):
            yield Problem(str(version.wav), 0, text)


def _sound_problems(catalogue: Catalogue, file: FileId, sound: OwnSound) -> Iterator[str]:
    language, prompt = file
    if prompt not in catalogue.prompts:
        yield "no prompt of the catalogue uses it; remove its folder"
    elif sound.record.text != catalogue.text_checksum(prompt, language):
        yield "the text changed after the sound was made; record it again, or roll it back"
    if was_trapped(sound.record.voice):
        yield f"{sound.record.voice} spells Mandarin in English; for Mandarin use cmn-latn-pinyin"
    yield from sample_problems(sound.s16)
