"""Puts other content into a data folder so that a cut leaves all of the old or all of the new. Blocking.

The new content lies ready in a folder of its own. A small file, written durably, decides; what it says is then carried
out, and carried out to its end by the next start where a cut came in between. Needs the folder's ownership.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware.durable_files import FOLDER_MODE, plain_errors, remove_durably, sync_folder, write_durably
from firmware.errors import StorageError
from firmware.storage.rights import take_place

_DECISION = "replacing.json"
_READY_PREFIX = ".incoming-"


@dataclass(frozen=True, slots=True)
class Move:
    """One file or folder of the data folder, and the place in it where the old one is kept."""

    item: str
    aside: str


def ready_folder(data_dir: Path) -> Path:
    """An empty folder for new content; items in it have the names they will have. Raises: OSError."""
    folder = data_dir / f"{_READY_PREFIX}{secrets.token_hex(4)}"
    folder.mkdir(mode=FOLDER_MODE)
    return folder


def replace_content(data_dir: Path, ready: Path, moves: Sequence[Move]) -> None:
    """Decide, and do it. Content that is not in `ready` is only put aside. Raises: StorageError."""
    with plain_errors(data_dir):
        _hand_over(data_dir, ready, moves)
        _sync_tree(ready)
        decision = {"ready": ready.name, "moves": [_told(ready, move) for move in moves]}
        write_durably(data_dir / _DECISION, json.dumps(decision).encode())
        finish_replacing(data_dir)


def finish_replacing(data_dir: Path) -> bool:
    """Carry out what was decided, and remove what was not; tells whether anything was decided.

    Raises: StorageError.
    """
    decision = data_dir / _DECISION
    with plain_errors(decision):
        decided = decision.is_file()
        if decided:
            ready, moves = _parse(decision)
            _carry_out(data_dir, data_dir / ready, moves)
            remove_durably(decision)
        for left in data_dir.glob(f"{_READY_PREFIX}*"):
            shutil.rmtree(left)
        for left in data_dir.glob(f".{_DECISION}.*.tmp"):
            left.unlink()
        return decided


def _hand_over(data_dir: Path, ready: Path, moves: Sequence[Move]) -> None:
    """The services use what is put in place, as different users, whoever puts it there."""
    for new, place in ((ready / move.item, data_dir / move.item) for move in moves):
        if new.exists():
            take_place(new, place, data_dir)


def is_replacing(data_dir: Path) -> bool:
    """Whether what lies there now is about to be put aside: who writes into it, writes for nobody. Raises: OSError."""
    return (data_dir / _DECISION).exists()


def _carry_out(data_dir: Path, ready: Path, moves: Sequence[tuple[Move, bool]]) -> None:
    """All of the old goes before any of the new comes: a log of the one must never lie beside the other."""
    for move, has_new in moves:
        place, aside = data_dir / move.item, data_dir / move.aside
        if has_new and not (ready / move.item).exists():
            continue  # done before: what is in place is the new content
        if place.exists() and not aside.exists():
            aside.parent.mkdir(mode=FOLDER_MODE, exist_ok=True)
            sync_folder(data_dir)
            _rename(place, aside)
    for move, has_new in moves:
        if not has_new and (data_dir / move.aside).is_file():
            # Made meanwhile by a program that still had the old one open.
            (data_dir / move.item).unlink(missing_ok=True)
    for move, has_new in moves:
        if has_new and (ready / move.item).exists():
            _rename(ready / move.item, data_dir / move.item)


def _rename(source: Path, target: Path) -> None:
    source.rename(target)
    sync_folder(target.parent)
    sync_folder(source.parent)


def _told(ready: Path, move: Move) -> tuple[str, str, bool]:
    return (move.item, move.aside, (ready / move.item).exists())


def _parse(decision: Path) -> tuple[str, list[tuple[Move, bool]]]:
    try:
        value = json.loads(decision.read_bytes())
        moves = [(Move(str(item), str(aside)), has_new is True) for item, aside, has_new in value["moves"]]
        return str(value["ready"]), moves
    except (ValueError, TypeError, KeyError) as error:
        raise StorageError(f"{decision} cannot be read; restore a backup into an empty data folder") from error


def _sync_tree(folder: Path) -> None:
    for place, _, files in os.walk(folder):
        for file in files:
            handle = os.open(Path(place) / file, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        sync_folder(Path(place))
    sync_folder(folder.parent)
