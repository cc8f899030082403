"""`linekeeper prompts import`: an office's own recordings, made into prompts. Needs numpy and soundfile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from firmware.audio.acceptance import accept
from firmware.audio.catalogue import Catalogue
from firmware.audio.decoding import decode
from firmware.audio.files import UPLOADED, FileId
from firmware.audio.import_names import Candidate, Refused, candidates, shown
from firmware.audio.own_prompts import keep_version
from firmware.errors import PromptError
from firmware.units import samples_to_seconds


@dataclass(frozen=True, slots=True)
class Imported:
    """A file that callers will hear, as this version of this prompt."""

    path: Path
    file: FileId
    version: int
    seconds: float


def import_folder(
    folder: Path, own: Path, catalogue: Catalogue, language: str | None = None
) -> Iterator[Imported | Refused]:
    """Take every file in turn; what became of each is told at once, and one that is refused stops none of the others.

    Raises: PromptError when the folder cannot be read; StorageError, DiskFull, with all before it kept.
    """
    for found in candidates(folder, catalogue, language):
        yield _take(found, own, catalogue) if isinstance(found, Candidate) else found


def _take(found: Candidate, own: Path, catalogue: Catalogue) -> Imported | Refused:
    language, prompt = found.file
    try:
        s16 = accept(*decode(found.path))
        text = catalogue.text_checksum(prompt, language)
        version = keep_version(own, found.file, s16, UPLOADED, shown(found.path), text)
    except PromptError as error:
        return Refused(found.path, str(error))
    return Imported(found.path, found.file, version, samples_to_seconds(len(s16) // 2))
