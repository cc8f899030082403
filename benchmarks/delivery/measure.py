"""P10: from the outbox on a disk to a collector on PostgreSQL, both with fsync, on this machine; and the bare loop."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg

from benchmarks.figure import Figure
from benchmarks.postgres import PostgresServer, free_port
from benchmarks.program import Program
from firmware.storage.store_files import DATABASE_FILE
from firmware.uplink_contract.limits import MOST_RECORDS
from outages.backlog import PastClock, make_backlog
from outages.centre import COLLECTOR
from outages.site import LINEKEEPER

_RECORDS = 20_000
_RUNS = 3
_TARGET = 2000.0
_LOOK_SECONDS = 0.02
_LONGEST_SECONDS = 300.0
_STEP = timedelta(milliseconds=90)


@dataclass(frozen=True, slots=True)
class _Bench:
    postgres: PostgresServer
    folder: Path

    def place(self, name: str) -> Path:
        made = self.folder / name
        made.mkdir()
        return made


async def measure_delivery() -> list[Figure]:
    """Product and bare loop in turn, on the same records; the medians are judged."""
    with tempfile.TemporaryDirectory(prefix="linekeeper-bench-") as name, PostgresServer(durable=True) as postgres:
        bench = _Bench(postgres, Path(name))
        await make_backlog(bench.place("backlog"), PastClock(_STEP), _RECORDS, 0, seed=1)
        ours, bare = [], []
        for number in range(_RUNS):
            rate, database = await _deliver(bench, number)
            ours.append(rate)
            bare.append(await _bare(bench, number, _batches(database)))
    told = statistics.median(ours)
    ratio = told / statistics.median(bare)
    note = f"each run: {_rates(ours)} records/s; httpx to an ASGI app that only inserts: {_rates(bare)}"
    measured = f"{told:.0f} records/s, {ratio:.2f} of the bare loop"
    target = f">= {_TARGET:.0f} records/s"
    return [Figure("P10", "outbox delivery to a local collector", measured, target, told >= _TARGET, (note,))]


def _rates(rates: list[float]) -> str:
    return ", ".join(f"{rate:.0f}" for rate in rates)


async def _deliver(bench: _Bench, number: int) -> tuple[float, str]:
    """Records per second from the first batch to the last, and the collector's database."""
    database, port, place = bench.postgres.database(), free_port(), bench.place(f"ours-{number}")
    (place / "blobs").mkdir()
    await asyncio.to_thread(shutil.copytree, bench.folder / "backlog", place / "data")
    serve = ["serve", "--database", database, "--blobs", str(place / "blobs"), "--listen", f"127.0.0.1:{port}"]
    async with Program([str(COLLECTOR), *serve], place / "collector.log"):
        claim = (await _output(str(COLLECTOR), "claim", "bench", "--database", database)).split()[-1]
        config = place / "linekeeper.yaml"
        config.write_text(
            f"data_dir: {place / 'data'}\nrun_dir: {place / 'run'}\nlines: [{{name: front, port: /dev/null}}]\n"
            f"sync:\n  mode: collector\n  url: http://127.0.0.1:{port}\n  claim: {claim}\n  spread_seconds: 0\n"
        )
        async with Program([str(LINEKEEPER), "--config", str(config), "run", "sync"], place / "sync.log") as sender:
            return await _rate(place / "data" / DATABASE_FILE, sender), database


async def _rate(file: Path, sender: Program) -> float:
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=10)) as db:

        def queued() -> int:
            return int(db.execute("SELECT count(*) FROM outbox").fetchone()[0])

        before = queued()
        deadline = time.monotonic() + _LONGEST_SECONDS
        while (left := queued()) >= before:
            _not_forever(deadline, sender)
            await asyncio.sleep(_LOOK_SECONDS)
        began, first = time.perf_counter(), left
        while queued():
            _not_forever(deadline, sender)
            await asyncio.sleep(_LOOK_SECONDS)
        return first / (time.perf_counter() - began)


def _not_forever(deadline: float, sender: Program) -> None:
    if time.monotonic() > deadline:
        raise RuntimeError(f"the outbox is not delivered: {sender.said}")


def _batches(database: str) -> list[bytes]:
    """The same records in the same batches, as the collector has them."""
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            "SELECT kind, record_id::text, seq, version, clock_trusted, body FROM record ORDER BY seq"
        ).fetchall()
    names = ("kind", "id", "seq", "version", "clock_trusted", "body")
    records = [dict(zip(names, row, strict=True)) for row in rows]
    some = (records[first : first + MOST_RECORDS] for first in range(0, len(records), MOST_RECORDS))
    return [json.dumps({"records": each}, ensure_ascii=False).encode() for each in some]


async def _bare(bench: _Bench, number: int, batches: list[bytes]) -> float:
    place, port = bench.place(f"bare-{number}"), free_port()
    file = place / "batches"
    file.write_bytes(b"\n".join(batches))
    async with _bare_app(bench.postgres.database(), port, place):
        seconds = await _output(
            sys.executable, "-m", "benchmarks.delivery.bare_loop", str(file), f"http://127.0.0.1:{port}/records"
        )
    return sum(len(json.loads(batch)["records"]) for batch in batches) / float(seconds)


@asynccontextmanager
async def _bare_app(database: str, port: int, place: Path) -> AsyncIterator[None]:
    command = [sys.executable, "-m", "benchmarks.delivery.bare_app", database, str(port)]
    async with Program(command, place / "bare.log"):
        yield


async def _output(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed")
    return output.decode()
