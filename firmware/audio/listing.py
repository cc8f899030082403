"""What callers hear now, prompt by prompt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from firmware.audio.build import all_files
from firmware.audio.catalogue import load_catalogue
from firmware.audio.files import FileId, FileRecord, load_files, wav_path
from firmware.audio.level import active_level_dbfs
from firmware.audio.own_versions import current_sound
from firmware.audio.wav_files import load_s16
from firmware.durable_files import plain_errors
from firmware.units import samples_to_seconds
from firmware.wav import NotAWav

MISSING = "missing"
_UNKNOWN = FileRecord("unknown", "", "")


@dataclass(frozen=True, slots=True)
class Heard:
    """One prompt in one language. `own` for an office's version; no length or level where there is no sound."""

    file: FileId
    own: bool
    source: str
    version: int
    seconds: float | None
    level_dbfs: float | None


def heard_prompts(folder: Path, own: Path | None, on_problem: Callable[[str], None]) -> list[Heard]:
    """Every prompt of the catalogue. Raises: ConfigurationError; StorageError when `own` cannot be read."""
    records = load_files(folder)
    return [_heard(folder, own, records, file, on_problem) for file in all_files(load_catalogue(folder))]


def _heard(
    folder: Path,
    own: Path | None,
    records: dict[FileId, FileRecord],
    file: FileId,
    on_problem: Callable[[str], None],
) -> Heard:
    if own:
        with plain_errors(own):
            sound = current_sound(own, file, on_problem)
        if sound:
            return _measured(file, sound.record, sound.s16, own=True)
    try:
        s16 = load_s16(wav_path(folder, file))
    except (OSError, NotAWav) as error:
        on_problem(f"{wav_path(folder, file)} cannot be used: {error}")
        return Heard(file, False, MISSING, 0, None, None)
    return _measured(file, records.get(file, _UNKNOWN), s16, own=False)


def _measured(file: FileId, record: FileRecord, s16: bytes, *, own: bool) -> Heard:
    seconds = round(samples_to_seconds(len(s16) // 2), 2)
    return Heard(file, own, record.source, record.version, seconds, round(active_level_dbfs(s16), 1))
