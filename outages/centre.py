"""The centre: PostgreSQL with its writes on the disk, blobs in a folder or in S3, and collector copies."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.object_store import CREDENTIALS, ObjectStore
from benchmarks.postgres import PostgresServer, free_port
from benchmarks.program import Program

COLLECTOR = Path(sys.executable).with_name("linekeeper-collector")


@dataclass
class Centre:
    """What runs there."""

    postgres: PostgresServer
    database: str
    blobs: str
    environment: dict[str, str]
    copies: list[Program] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)

    def run(self, *arguments: str) -> str:
        """A command of the collector. Raises: RuntimeError."""
        command = [str(COLLECTOR), *arguments, "--database", self.database]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, **self.environment}
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed: {done.stderr.strip()}")
        return done.stdout


@asynccontextmanager
async def centre(
    folder: Path, *, copies: int = 2, s3: bool = False, durable: bool = True, program: Sequence[str] = (str(COLLECTOR),)
) -> AsyncIterator[Centre]:
    """Start everything; `program` is the collector to run."""
    async with AsyncExitStack() as stack:
        postgres = stack.enter_context(PostgresServer(durable=durable))
        blobs, environment = stack.enter_context(_blobs(folder, s3=s3))
        built = Centre(postgres, postgres.database(), blobs, environment)
        for number in range(copies):
            port = free_port()
            copy = Program(
                [*program, "serve", "--database", built.database, "--blobs", blobs, "--listen", f"127.0.0.1:{port}"],
                folder / f"collector-{number}.log",
                environment,
            )
            built.ports.append(port)
            built.copies.append(await stack.enter_async_context(copy))
        yield built


@contextmanager
def _blobs(folder: Path, *, s3: bool) -> Iterator[tuple[str, dict[str, str]]]:
    if not s3:
        place = folder / "blobs"
        place.mkdir()
        yield str(place), {}
        return
    with ObjectStore() as store:
        bucket = store.bucket("recordings")
        yield bucket, {**CREDENTIALS, "AWS_ENDPOINT_URL": store.url, "AWS_ALLOW_HTTP": "true"}
