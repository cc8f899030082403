"""Erasing on a stick that has not been brought to the collector yet: records and their audio. Blocking."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path

from firmware.sync.stick_files import put, remove

_BLOB = re.compile(rb'"sha256":"([0-9a-f]{64})"')
# Records are written 200 a file, and none has more than 64 KiB; a larger file is not ours.
_MOST_BYTES = 16 * 1024 * 1024
_ERASED = b'"erased":true'


def erase(
    records: Path, audio: Path, gone: AbstractSet[tuple[str, str]], named: AbstractSet[str] = frozenset()
) -> None:
    """Take out what the stick holds of these records (kind and id), and of their audio. Raises: OSError.

    `named` are hashes of their audio: it may have come without its record.

    Audio goes before the lines that name it: after a cut in between it is found again.
    """
    changed: dict[Path, list[bytes]] = {}
    theirs: set[bytes] = {name.encode("ascii") for name in named}
    others: set[bytes] = set()
    for file, lines in _files_in(records):
        kept = [line for line in lines if not _is_of(line, gone)]
        others.update(name for line in kept if _ERASED not in line for name in _BLOB.findall(line))
        if len(kept) < len(lines):
            theirs.update(name for line in lines for name in _BLOB.findall(line) if line not in kept)
            changed[file] = kept
    remove(*(audio / f"{name.decode('ascii')}.wav" for name in theirs - others))
    for file, kept in changed.items():
        if kept:
            put(file, kept)
        else:
            remove(file)


def _files_in(records: Path) -> Iterator[tuple[Path, list[bytes]]]:
    for file in sorted(records.glob("*.jsonl")):
        # A named pipe, on a stick that somebody made so, would hold us for ever.
        if not file.name.startswith(".") and file.is_file() and file.stat().st_size <= _MOST_BYTES:
            yield file, file.read_bytes().splitlines(keepends=True)


def _is_of(line: bytes, gone: AbstractSet[tuple[str, str]]) -> bool:
    """Whether a line is one of these records, and no word of its erasure."""
    if not any(record_id.encode("utf-8") in line for _, record_id in gone):
        return False
    try:
        record = json.loads(line)
        return (record["kind"], record["id"]) in gone and not record["erased"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return False
