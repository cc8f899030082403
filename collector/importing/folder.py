"""Reading what an appliance wrote into a folder (mode `folder`): bounded, and never through a link.

    linekeeper-NAME/appliance.json              {"device", "name", "version"}
    linekeeper-NAME/records/SEQ-UUID.jsonl      a record in each line, as docs/delivery.md has it
    linekeeper-NAME/audio/SHA256.wav

Whoever can write to the stick can write anything: names, sizes, links, pipes. What is not as it should be is told, and
the rest is read. Blocking: call it in a thread.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID, uuid5

from collector.errors import ImportRefused, Malformed
from collector.records.incoming import IncomingRecord, Refused, record_of
from firmware.uplink_contract.limits import MOST_BLOB_BYTES, MOST_RECORD_BYTES, MOST_RECORDS

APPLIANCE_FILE = "appliance.json"
_PREFIX = "linekeeper-"
_RECORDS_FILE = re.compile(r"\d{20}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.jsonl")
_MOST_APPLIANCE_BYTES = 4096
# The body's own limit, and room for what is around it.
_MOST_LINE_BYTES = MOST_RECORD_BYTES + 4096
_MOST_FILES = 1_000_000
_LONGEST_NAME = 200
# Appliances that were given no id of the usual form get one that follows from theirs.
_NAMESPACE = UUID("7e4b2f0a-6c53-5d0e-9a57-1f1e4d3c2b1a")


class FileUnusable(ValueError):
    """A file is not what it should be; says which, and why."""


@dataclass(frozen=True, slots=True)
class Export:
    """What one appliance wrote."""

    folder: Path
    device: UUID
    name: str


@dataclass(frozen=True, slots=True)
class DamagedLine:
    """A line that holds no record. Counts from 1."""

    line: int
    reason: str


Line = IncomingRecord | Refused | DamagedLine


def exports_in(folder: Path) -> tuple[list[Export], list[str]]:
    """What appliances wrote into this folder, or as this folder; and a sentence for each that cannot be read.

    Raises: ImportRefused where nothing of an appliance is here.
    """
    exports, problems = [], []
    for place in _places(folder):
        try:
            exports.append(_export(place))
        except FileUnusable as error:
            problems.append(str(error))
    if not exports and not problems:
        raise ImportRefused(f"{folder} holds nothing of an appliance: there is no folder {_PREFIX}... in it")
    return exports, problems


def record_files(export: Export) -> tuple[list[Path], list[str]]:
    """The files with records in the order of their numbers; and a sentence for what does not belong there."""
    folder = export.folder / "records"
    try:
        names = _names(folder)
    except FileUnusable as error:
        return [], [str(error)]
    # A name with a dot in front is a file that is still being written.
    strange = [name for name in names if not _RECORDS_FILE.fullmatch(name) and not name.startswith(".")]
    good = sorted(name for name in names if _RECORDS_FILE.fullmatch(name))
    return [folder / name for name in good], [f"{_shown(folder / name)} is no file of records" for name in strange[:10]]


def batches(file: Path) -> Iterator[list[Line]]:
    """A file's records, at most `MOST_RECORDS` at once. Raises: FileUnusable."""
    batch: list[Line] = []
    with _opened(file) as source:
        for number, text in enumerate(_lines(source, file), 1):
            batch.append(_line(number, text))
            if len(batch) == MOST_RECORDS:
                yield batch
                batch = []
    if batch:
        yield batch


def audio(export: Export, sha256: str) -> bytes:
    """A recording, which is what its name says. Raises: FileUnusable."""
    folder = export.folder / "audio"
    _check_folder(folder)
    content = _whole(folder / f"{sha256}.wav", MOST_BLOB_BYTES)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise FileUnusable(f"{_shown(folder / sha256)}.wav is cut or damaged: its bytes are not what its name says")
    return content


def _places(folder: Path) -> list[Path]:
    try:
        names = _names(folder)
    except FileUnusable as error:
        raise ImportRefused(str(error)) from error
    if APPLIANCE_FILE in names:
        return [folder]
    return [folder / name for name in sorted(names) if name.startswith(_PREFIX)]


def _export(place: Path) -> Export:
    _check_folder(place)
    text = _whole(place / APPLIANCE_FILE, _MOST_APPLIANCE_BYTES)
    value = _json(text)
    device, name = (value.get("device"), value.get("name")) if isinstance(value, dict) else (None, None)
    if not isinstance(device, str) or not device or not isinstance(name, str):
        raise FileUnusable(
            f"{_shown(place / APPLIANCE_FILE)} does not tell which appliance wrote this; nothing was read"
        )
    return Export(place, _device_id(device), (_shown(name) or place.name)[:_LONGEST_NAME])


def _device_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return uuid5(_NAMESPACE, text.encode("utf-8", "replace").decode())


def _line(number: int, text: bytes | None) -> Line:
    if text is None:
        return DamagedLine(number, f"has more than {_MOST_LINE_BYTES} bytes")
    value = _json(text)
    if value is None:
        return DamagedLine(number, "is cut or damaged")
    try:
        return record_of(value)
    except Malformed as error:
        return DamagedLine(number, f"is no record: {error}")


def _json(text: bytes) -> Any:
    """None for what is no JSON, and for null."""
    try:
        return json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        return None


def _lines(source: BinaryIO, file: Path) -> Iterator[bytes | None]:
    """Each line without its end; None for one that is too long, of which no more than its limit is ever held."""
    try:
        while text := source.readline(_MOST_LINE_BYTES + 1):
            if len(text) <= _MOST_LINE_BYTES or text.endswith(b"\n"):
                yield text
                continue
            while text and not text.endswith(b"\n"):
                text = source.readline(_MOST_LINE_BYTES)
            yield None
    except OSError as error:
        raise _unreadable(file, error) from error


def _whole(file: Path, most_bytes: int) -> bytes:
    with _opened(file) as source:
        try:
            content = source.read(most_bytes + 1)
        except OSError as error:
            raise _unreadable(file, error) from error
    if len(content) > most_bytes:
        raise FileUnusable(f"{_shown(file)} is too large: at most {most_bytes} bytes are read")
    return content


def _opened(file: Path) -> BinaryIO:
    try:
        # A pipe would wait for its writer for ever without O_NONBLOCK.
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise _unreadable(file, error) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise FileUnusable(f"{_shown(file)} is no ordinary file; it is not read")
    return os.fdopen(handle, "rb")


def _names(folder: Path) -> list[str]:
    _check_folder(folder)
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry, _ in zip(entries, range(_MOST_FILES), strict=False)]
    except OSError as error:
        raise _unreadable(folder, error) from error


def _check_folder(folder: Path) -> None:
    try:
        mode = folder.lstat().st_mode
    except (OSError, ValueError) as error:
        raise _unreadable(folder, error) from error
    if not stat.S_ISDIR(mode):
        raise FileUnusable(f"{_shown(folder)} is no folder of its own (a link, or a file); it is not read")


def _unreadable(place: Path, error: Exception) -> FileUnusable:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.ENOENT:
        return FileUnusable(f"{_shown(place)} is not there")
    if number == errno.ELOOP:
        return FileUnusable(f"{_shown(place)} is a link; it is not read")
    return FileUnusable(f"{_shown(place)} cannot be read: {os.strerror(number) if number else error}")


def _shown(name: Path | str) -> str:
    """A name for one line on a terminal, whatever it holds."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(name))
