"""Bringing the database of every released version to the newest shape: a cut leaves the old one or the new one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from cuts.judging import DATA, new_store, next_start, unsound, violations_of
from cuts.talk import speech
from cuts.workload import Telling, Told, Workload
from firmware import wav
from firmware.pcm import SampleFormat
from firmware.storage.migrations import CURRENT_VERSION
from firmware.storage.queries import Records
from firmware.storage.store_files import DATABASE_FILE

_RELEASED = Path(__file__).parents[2] / "tests" / "storage" / "released"


def workloads() -> list[Workload]:
    """One for each released version but the newest."""
    return [
        Workload(f"migration_{version}", partial(_prepare, version), _work, partial(_judge, version))
        for version in range(1, CURRENT_VERSION)
    ]


async def _prepare(version: int, folder: Path) -> None:
    recordings = folder / DATA / "recordings"
    recordings.mkdir(parents=True)
    script = (_RELEASED / f"version_{version}.sql").read_text(encoding="utf-8")
    with closing(sqlite3.connect(folder / DATA / DATABASE_FILE)) as db:
        db.executescript(script)
        rows = db.execute("SELECT file, total_samples FROM recording").fetchall()
    for file, samples in rows:
        (recordings / file).write_bytes(wav.dump(SampleFormat.ULAW, speech(file, samples)))


async def _work(folder: Path, tell: Telling) -> None:
    store = new_store(folder)
    await store.open()
    tell("migrated")
    await store.close()


async def _judge(version: int, folder: Path, told: Told) -> list[str]:
    with closing(sqlite3.connect(folder / DATA / DATABASE_FILE)) as db:
        found_version = db.execute("PRAGMA user_version").fetchone()[0]
        columns = {row[1] for row in db.execute("PRAGMA table_info(message)")}
    new = found_version == CURRENT_VERSION
    found = [] if found_version in (version, CURRENT_VERSION) else [f"the version is {found_version}"]
    if version == 1 and ("transcript" in columns) is not new:
        found.append("the shape is neither old nor new")
    if told.once("migrated") and not new:
        found.append("the new shape was acknowledged and is gone")
    async with next_start(folder) as (_, summary):
        found += violations_of(summary)
        with Records(folder / DATA, ZoneInfo("UTC")) as records:
            numbers = [message["number"] for message in records.messages()]
            phones = [callback["phone"] for callback in records.callbacks()]
    if numbers != [41] or phones != ["13800138000"]:
        found.append(f"records are lost: {numbers}, {phones}")
    return [*found, *unsound(folder)]
