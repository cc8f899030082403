"""The audio of entries: its file, its size, and its content's hash, which is what far ends know it by. Blocking."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware.journal import journal
from firmware.ports import Blob
from firmware.storage.outbox_rows import Waiting
from firmware.uplink_contract.limits import MOST_BLOB_BYTES

# So much is read for the first time in one go: a second or two of a small machine.
_MOST_HASHED_BYTES = 32 * 1024 * 1024
_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Ready:
    """An entry with its audio. `absence` says why there is none where there should be.

    `is_new` says that the audio was read for the first time; `fault`, that the entry cannot be delivered as it is.
    """

    waiting: Waiting
    blob: Blob | None = None
    absence: str = ""
    is_new: bool = False
    fault: str = ""


def read_audio(folder: Path, waiting: Sequence[Waiting], kind: str) -> list[Ready]:
    """The first of the entries, as many as can be read in reasonable time. Never raises for a file."""
    return list(_until_enough(folder, waiting, kind))


def _until_enough(folder: Path, waiting: Sequence[Waiting], kind: str) -> Iterator[Ready]:
    hashed = 0
    for entry in waiting:
        if hashed >= _MOST_HASHED_BYTES:
            return
        ready = _with_audio(folder, entry) if entry.kind == kind else Ready(entry)
        hashed += ready.blob.byte_count if ready.blob and ready.is_new else 0
        yield ready


def _with_audio(folder: Path, entry: Waiting) -> Ready:
    audio = entry.found.audio if entry.found else None
    if audio is None:
        return Ready(entry)
    if audio.released:
        return Ready(entry, absence="released")
    file = folder / audio.file
    try:
        size = file.stat().st_size
        if size > MOST_BLOB_BYTES:
            return Ready(entry, absence="too_large")
        # A file that a sick disk cut short is another one; what is left of it is delivered.
        known = entry.blob_sha256 if entry.blob_bytes == size else None
        sha256 = known or _hash_of(file)
    except FileNotFoundError:
        journal("outbox").error("a recording is missing; its record goes without it", file=audio.file)
        return Ready(entry, absence="missing")
    except OSError as error:
        if entry.kind != "recording":  # the words of a message are worth more than to wait with its sound
            return Ready(entry, absence="missing")
        return Ready(entry, fault=f"{audio.file} cannot be read ({error.strerror or error}); look at the disk")
    return Ready(entry, Blob(sha256, size, file), is_new=known is None)


def _hash_of(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as audio:
        while chunk := audio.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
