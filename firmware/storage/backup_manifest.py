"""What a backup says of itself: its last member. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from firmware.errors import BackupUnusable
from firmware.storage.archive import is_name

MANIFEST = "manifest.json"
FORMAT = 1
_SHA256 = re.compile(r"[0-9a-f]{64}")
# Far beyond any figure that is meant, and safe in every place it is used.
_LARGEST = 2**53


@dataclass(frozen=True, slots=True)
class FileMark:
    """What proves one file of a backup."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """When a backup was made and what is in it.

    `content` counts the records that the database ever held and `sequence` the backups in a folder: together they
    order backups though the clock may have been wrong.
    """

    made_at: str
    clock_trusted: bool
    content: int
    sequence: int
    database_version: int
    database_only: bool
    incomplete: tuple[str, ...] = ()
    """Recordings that the database knows and the disk did not have whole when the backup was made."""
    files: Mapping[str, FileMark] = field(default_factory=dict)

    @property
    def order(self) -> tuple[int, int, str]:
        """Sorts backups of one appliance, the newest last."""
        return (self.content, self.sequence, self.made_at)

    def dump(self) -> bytes:
        """As JSON."""
        return json.dumps({"format": FORMAT, **asdict(self)}, sort_keys=True).encode()


def parse_manifest(content: bytes) -> Manifest:
    """Raises: BackupUnusable."""
    try:
        value = json.loads(content)
        if value["format"] != FORMAT:
            raise BackupUnusable("another release of Linekeeper made it; restore it with that release")
        return Manifest(
            made_at=_moment(value["made_at"]),
            clock_trusted=value["clock_trusted"] is True,
            content=_count(value["content"]),
            sequence=_count(value["sequence"]),
            database_version=_count(value["database_version"]),
            database_only=value["database_only"] is True,
            incomplete=tuple(_name(name) for name in value["incomplete"]),
            files={_name(name): _mark(mark) for name, mark in value["files"].items()},
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BackupUnusable("its list of contents cannot be read; it is damaged") from error


def _moment(text: Any) -> str:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("a time without offset")
    return str(text)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _LARGEST:
        raise ValueError("no count")
    return value


def _name(name: str) -> str:
    if not is_name(name):
        raise ValueError("no name")
    return name


def _mark(value: Any) -> FileMark:
    if not _SHA256.fullmatch(value["sha256"]):
        raise ValueError("no checksum")
    return FileMark(_count(value["size"]), value["sha256"])
