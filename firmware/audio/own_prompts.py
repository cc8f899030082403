"""Keeping the office's own prompts: new versions, and the way back to an older one. Crash-safe at every instant."""

from __future__ import annotations

import re
from pathlib import Path

from firmware.audio.files import SOURCES, FileId, FileRecord, dump_record, sound_checksum
from firmware.audio.folder_lock import only_one
from firmware.audio.own_versions import Version, load_version, version_folder, versions
from firmware.durable_files import make_folder, plain_errors, remove_durably, rename_durably, write_durably
from firmware.errors import PromptError
from firmware.pcm import SampleFormat
from firmware.wav import dump

KEPT_VERSIONS = 5
SHIPPED = 0
"""The version that stands for the sound that came with Linekeeper."""
_NUMBERED = re.compile(r"([1-9][0-9]{0,8})\.(wav|yaml|withdrawn\.yaml)")
_REMAINS = re.compile(r"\..*\.tmp")


def keep_version(own: Path, file: FileId, samples_s16: bytes, source: str, voice: str, text: str) -> int:
    """Keep a mastered sound as the current version of a prompt, and return its number; the last five stay.

    `samples_s16` at 8 kHz, `voice` says who speaks, `text` is the catalogue's `text_checksum` of what it says. The
    sound that is current already is not kept twice. Raises: PromptError, StorageError, DiskFull; what was there before
    then stays as it was.
    """
    folder = version_folder(own, file)
    if source not in SOURCES or not any(samples_s16) or len(samples_s16) % 2:
        raise PromptError(f"{'/'.join(file)}: a source ({', '.join(SOURCES)}) and whole 16-bit samples are needed")
    with plain_errors(own):
        make_folder(folder)
        with only_one(own):
            record = FileRecord(source, voice, text, sound_checksum(samples_s16), _next_number(folder))
            same = _same_as_current(own, file, record)
            if same:
                return same
            _write(folder, record, samples_s16)
            _forget_old(own, file)
    return record.version


def roll_back(own: Path, file: FileId, to: int | None = None) -> int:
    """Withdraw the current version, or all above `to`; returns the one that callers hear now, `SHIPPED` for none.

    A version that was withdrawn before comes back when `to` names it. Raises: PromptError, StorageError.
    """
    name = "/".join(file)
    with plain_errors(own):
        if not versions(own, file):
            raise PromptError(f"{name} has no version of your own; callers hear the one that came with Linekeeper")
        with only_one(own):
            kept = versions(own, file)
            return _go_to(kept, _target(name, kept, to))


def _target(name: str, kept: list[Version], to: int | None) -> int:
    if to is None:
        standing = [version.number for version in kept if not version.withdrawn]
        if not standing:
            raise PromptError(f"{name}: callers hear the sound that came with Linekeeper already")
        return next(iter(standing[1:]), SHIPPED)
    if to != SHIPPED and to not in {version.number for version in kept}:
        numbers = ", ".join(str(version.number) for version in kept)
        raise PromptError(
            f"{name} has no version {to}; there are {numbers}, and {SHIPPED} for the one that came with us"
        )
    return to


def _go_to(kept: list[Version], target: int) -> int:
    wanted = next((version for version in kept if version.number == target), None)
    if wanted:
        load_version(wanted)
    # The newest goes first, so that a power cut leaves one of the versions between.
    for version in kept:
        if version.number > target and not version.withdrawn:
            _rename(version, withdrawn=True)
    if wanted and wanted.withdrawn:
        _rename(wanted, withdrawn=False)
    return target


def _rename(version: Version, *, withdrawn: bool) -> None:
    rename_durably(version.record, Version(version.folder, version.number, withdrawn).record)


def _next_number(folder: Path) -> int:
    return max(_numbers(folder), default=SHIPPED) + 1


def _numbers(folder: Path) -> set[int]:
    return {int(match[1]) for path in folder.iterdir() if (match := _NUMBERED.fullmatch(path.name))}


def _same_as_current(own: Path, file: FileId, record: FileRecord) -> int | None:
    current = next((version for version in versions(own, file) if not version.withdrawn), None)
    try:
        kept = load_version(current).record if current else None
    except PromptError:
        # A broken one is what somebody records again for.
        return None
    same = kept and (kept.source, kept.text, kept.sound) == (record.source, record.text, record.sound)
    return current.number if current and same else None


def _write(folder: Path, record: FileRecord, s16: bytes) -> None:
    version = Version(folder, record.version, withdrawn=False)
    write_durably(version.wav, dump(SampleFormat.S16, s16))
    write_durably(version.record, f"{dump_record(record)}\n".encode())


def _forget_old(own: Path, file: FileId) -> None:
    """All but the last few; those that callers no longer hear go first."""
    folder = version_folder(own, file)
    standing = {version.number for version in versions(own, file) if not version.withdrawn}
    by_worth = sorted(_numbers(folder), key=lambda number: (number in standing, number), reverse=True)
    for number in by_worth[KEPT_VERSIONS:]:
        for withdrawn in (False, True):
            remove_durably(Version(folder, number, withdrawn).record)
        remove_durably(Version(folder, number, withdrawn=False).wav)
    for path in folder.iterdir():
        if _REMAINS.fullmatch(path.name):
            remove_durably(path)
