"""`python -m benchmarks.fleet`: simulated appliances against one collector on this machine, and lines of figures.

Three times: all enrol at once; all deliver at their pace; then all deliver as fast as they can, which is more than the
collector takes. It must say "later" then, stay alive and small, and everybody must finish with each record there once.
Everything is on loopback and shares this machine's cores. Exit status 1 where anybody did not finish.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.figure import percentile
from benchmarks.fleet.appliance import SimulatedAppliance, Tally, Work
from benchmarks.fleet.vitals import Vitals, Watch
from benchmarks.fleet.wire import Wire
from benchmarks.postgres import PostgresServer, free_port
from benchmarks.program import Program
from collector.database import Database
from collector.identity.enrolment import make_claim

COLLECTOR = Path(sys.executable).with_name("linekeeper-collector")
_CLAIM_LIFE = timedelta(hours=1)
_SHOWN = 5
_SIZE = "SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'record'::regclass"
_PACED = Work(batches=5, records_in_batch=20, audio_bytes=64 * 1024, pause_seconds=20.0)
_UNPACED = Work(batches=4, records_in_batch=25, audio_bytes=0, pause_seconds=0.0)


@dataclass(frozen=True, slots=True)
class Round:
    """What one of the three times gave."""

    name: str
    appliances: int
    tally: Tally
    seconds: float
    vitals: Vitals

    @property
    def records(self) -> int:
        return self.tally.outcomes["stored"]

    def sentence(self) -> str:
        done = sum(len(seconds) for seconds in self.tally.seconds.values())
        latencies = "; ".join(
            f"{name} {' / '.join(f'{percentile(seconds, percent) * 1000:.0f}' for percent in (50, 95, 99))} ms"
            for name, seconds in self.tally.seconds.items()
            if seconds
        )
        later = self.tally.statuses[429] + self.tally.statuses[503]
        return (
            f"{self.name}: {self.tally.finished} of {self.appliances} finished in {self.seconds:.1f} s,"
            f" {self.records / self.seconds:.0f} records/s, {done / self.seconds:.0f} requests/s,"
            f" p50 / p95 / p99: {latencies}; told to come later {later} times, {self.tally.broken} connections broke;"
            f" collector {self.vitals.cpu_percent:.0f} % of a core, {self.vitals.most_megabytes:.0f} MB at most;"
            f" healthz answered {self.vitals.healthy} of {self.vitals.asked}, slowest {self.vitals.slowest_ms:.0f} ms"
        )


async def measure(appliances: int, paced: Work, unpaced: Work, folder: Path) -> tuple[list[Round], int]:
    """All rounds, and how many records are at the collector in the end."""
    async with _collector(folder) as (program, port, url):
        codes = await _claims(url, appliances)
        wires = [Wire("127.0.0.1", port) for _ in codes]
        crowd = [SimulatedAppliance(wire, seed) for seed, wire in enumerate(wires)]
        watch = Watch(program, port)
        enrolling = [one.enrol(code) for one, code in zip(crowd, codes, strict=True)]
        rounds = [await _round("enrolling", crowd, watch, enrolling)]
        rounds.append(await _round("paced", crowd, watch, [one.deliver(paced) for one in crowd]))
        rounds.append(await _round("as fast as they can", crowd, watch, [one.deliver(unpaced) for one in crowd]))
        for wire in wires:
            wire.close()
        with psycopg.connect(url) as connection:
            found = connection.execute("SELECT count(*), count(DISTINCT record_id) FROM record").fetchone()
            size = connection.execute(_SIZE).fetchone()
    assert found is not None
    assert size is not None
    print(f"{int(size[0]) / found[0]:.0f} bytes a record in PostgreSQL, indexes included")
    if found[0] != found[1]:
        raise RuntimeError(f"{found[0]} rows for {found[1]} records")
    return rounds, int(found[0])


async def _round(
    name: str, crowd: Sequence[SimulatedAppliance], watch: Watch, works: Sequence[Coroutine[Any, Any, None]]
) -> Round:
    tally = Tally()
    for one in crowd:
        one.tally = tally
    began = time.perf_counter()
    async with watch.over() as vitals:
        done = await asyncio.gather(*works, return_exceptions=True)
    for failure in [each for each in done if isinstance(each, BaseException)][:_SHOWN]:
        print(f"{name}: {failure!r}", file=sys.stderr)
    return Round(name, len(crowd), tally, time.perf_counter() - began, vitals)


@asynccontextmanager
async def _collector(folder: Path) -> AsyncIterator[tuple[Program, int, str]]:
    with PostgresServer(durable=True) as postgres:
        url, port = postgres.database(), free_port()
        (folder / "blobs").mkdir()
        listen = f"127.0.0.1:{port}"
        command = [str(COLLECTOR), "serve", "--database", url, "--blobs", str(folder / "blobs"), "--listen", listen]
        async with Program(command, folder / "collector.log") as program:
            yield program, port, url


async def _claims(url: str, count: int) -> list[str]:
    async with Database(url) as database:
        made = (make_claim(database, f"office {n}", "fleet", datetime.now(UTC), _CLAIM_LIFE) for n in range(count))
        return [await each for each in made]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description=__doc__)
    parser.add_argument("--appliances", type=int, default=1000)
    parser.add_argument("--pause", type=float, default=_PACED.pause_seconds, help="seconds between batches when paced")
    options = parser.parse_args(arguments)
    # A connection each, at both ends.
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with tempfile.TemporaryDirectory(prefix="linekeeper-fleet-") as made:
        work = measure(options.appliances, replace(_PACED, pause_seconds=options.pause), _UNPACED, Path(made))
        rounds, records = asyncio.run(work)
    for each in rounds:
        print(each.sentence())
    print(f"{records} records at the collector, each once")
    finished = all(each.tally.finished == options.appliances for each in rounds)
    return 0 if finished and records == sum(each.records for each in rounds) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
