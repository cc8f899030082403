"""The plainest kind of tar: ustar with regular files only. What is read may come from anywhere, so the rest is refused.

POSIX.1-2017, pax, "ustar Interchange Format". Links, devices, sparse files and extended headers are where archives
become dangerous, and a backup needs none of them; `tar` reads what is written here all the same.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from firmware.errors import BackupUnusable

BLOCK_BYTES = 512
# Regular parts only: no "..", nothing hidden, no leading slash. A backup holds folders three deep at most.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*){0,3}")
_OCTAL = re.compile(rb"[0-7]{1,11}[ \0]?")
_MAGIC = b"ustar\00000"
_REGULAR = b"0"


@dataclass(frozen=True, slots=True)
class Member:
    """One file in an archive: its name, its size, and where its bytes begin."""

    name: str
    size: int
    at: int


def is_name(name: str) -> bool:
    """Whether an archive may hold a file of this name."""
    return _NAME.fullmatch(name) is not None


def header_of(name: str, size: int) -> bytes:
    """The block in front of a file. Raises: ValueError for a name that is too long."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o640
    return entry.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")


def parse_header(block: bytes) -> tuple[str, int] | None:
    """Name and size; None for the block of zeros that ends an archive. Raises: BackupUnusable."""
    if not any(block):
        return None
    if block[257:265] != _MAGIC or _number(block[148:156]) != _checksum(block):
        raise BackupUnusable("it is no backup of Linekeeper, or it is damaged")
    prefix, name = _text(block[345:500]), _text(block[:100])
    whole = f"{prefix}/{name}" if prefix else name
    if block[156:157] != _REGULAR or any(block[157:257]) or not is_name(whole):
        raise BackupUnusable(f"it holds {whole[:80]!r}, which no backup of Linekeeper does")
    return whole, _number(block[124:136])


def members_of(file: BinaryIO) -> Iterator[Member]:
    """Every file in the archive, in order, without reading their bytes. Raises: BackupUnusable."""
    end = file.seek(0, 2)
    at = 0
    while True:
        file.seek(at)
        block = file.read(BLOCK_BYTES)
        if len(block) < BLOCK_BYTES:
            raise BackupUnusable("it ends too early; it was cut off")
        parsed = parse_header(block)
        if parsed is None:
            return
        name, size = parsed
        if at + BLOCK_BYTES + size > end:
            raise BackupUnusable("it ends too early; it was cut off")
        yield Member(name, size, at + BLOCK_BYTES)
        at += BLOCK_BYTES + size + padding_of(size)


def padding_of(size: int) -> int:
    """Bytes that fill the last block of a file."""
    return -size % BLOCK_BYTES


def _text(field: bytes) -> str:
    return field.split(b"\0")[0].decode("ascii", "replace")


def _number(field: bytes) -> int:
    match = _OCTAL.match(field)
    if match is None or field[match.end() :].strip(b" \0"):
        raise BackupUnusable("it is no backup of Linekeeper, or it is damaged")
    return int(match[0].strip(b" \0"), 8)


def _checksum(block: bytes) -> int:
    return sum(block[:148]) + 8 * ord(" ") + sum(block[156:])
