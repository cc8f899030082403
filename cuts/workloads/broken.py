"""The same work on a store that is broken on purpose, to prove that the matrix sees what it is there to see."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from cuts.workload import Telling, Workload
from cuts.workloads import backups, messages
from firmware.storage import backup, backup_folder, database

_OTHER_THINGS = 200


def workloads() -> list[Workload]:
    """One for each way to be careless."""
    return [
        _broken(messages.WORKLOAD, "no_commit_sync", _careless_database),
        _broken(messages.WORKLOAD, "no_file_sync", _careless_file),
        _broken(backups.BACKUP, "no_folder_sync", _careless_folder),
    ]


def _broken(workload: Workload, name: str, breaking: Callable[[], None]) -> Workload:
    async def work(folder: Path, tell: Telling) -> None:
        breaking()
        await workload.work(folder, tell)
        _go_on(folder)

    return replace(workload, name=name, work=work)


def _go_on(folder: Path) -> None:
    """The machine does other things, which sync nothing: a cut in here finds what was told and is not on the disk."""
    for _ in range(_OTHER_THINGS):
        with (folder / "other-things").open("ab") as file:
            file.write(b"-")


def _careless_database() -> None:
    careful = database.connect

    def connect(db: Any) -> None:
        careful(db)
        db.execute_sql("PRAGMA synchronous = NORMAL")

    _replace(database, "connect", connect)


def _careless_folder() -> None:
    """The database's own sync helps out wherever one follows; after the last backup none does."""
    _replace(backup, "rename_durably", lambda source, target: source.rename(target))
    _replace(backup_folder, "sync_folder", lambda _: None)


def _careless_file() -> None:
    _replace(os, "fsync", lambda _: None)


def _replace(module: Any, name: str, other: Any) -> None:
    setattr(module, name, other)
