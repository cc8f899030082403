"""Unpacks a downloaded model: nothing outside its folder, nothing endless, all of it or none."""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from firmware.errors import SpeechError

# The small models unpack to some 70 MB in some 20 files.
_MOST_BYTES = 600 << 20
_MOST_FILES = 2000
_ENCRYPTED = 0x1
_CHUNK_BYTES = 1 << 20


def unpack(archive: Path, folder: Path) -> None:
    """Unpack the one folder in the archive to `folder`, which it replaces at once or not at all.

    Raises: SpeechError for an archive that is broken or not of that kind, OSError.
    """
    scratch = folder.with_name(f".{folder.name}.unpacking")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        with zipfile.ZipFile(archive) as content:
            for entry in _checked(content, archive.name):
                _write(content, entry, scratch)
        (top,) = scratch.iterdir()
        _put_in_place(top, folder)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise SpeechError(f"{archive.name} is a broken archive: {error}") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _checked(content: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """The files to unpack, none of which can do harm."""
    entries = content.infolist()
    if len(entries) > _MOST_FILES or sum(entry.file_size for entry in entries) > _MOST_BYTES:
        raise SpeechError(f"{name} unpacks to far more than a small model; it is not used")
    tops: set[str] = set()
    for entry in entries:
        path = PurePosixPath(entry.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in entry.filename or _is_special(entry):
            raise SpeechError(f"{name} holds {entry.filename!r}, which no model does; it is not used")
        tops.update(path.parts[:1])
    files = [entry for entry in entries if not entry.is_dir()]
    if len(tops) != 1 or any(len(PurePosixPath(entry.filename).parts) < 2 for entry in files) or not files:
        raise SpeechError(f"{name} does not hold one folder with a model; it is not used")
    return files


def _is_special(entry: zipfile.ZipInfo) -> bool:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    return kind not in (0, stat.S_IFREG, stat.S_IFDIR) or bool(entry.flag_bits & _ENCRYPTED)


def _write(content: zipfile.ZipFile, entry: zipfile.ZipInfo, scratch: Path) -> None:
    target = scratch / entry.filename
    target.parent.mkdir(parents=True, exist_ok=True)
    # zipfile reads no more than the size that was checked, and compares its checksum.
    with content.open(entry) as source, target.open("xb") as file:
        shutil.copyfileobj(source, file, _CHUNK_BYTES)
        file.flush()
        os.fsync(file.fileno())


def _put_in_place(new: Path, folder: Path) -> None:
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
