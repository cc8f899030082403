"""A real PostgreSQL of our own: a cluster in a temporary folder, for tests and measurements; nothing of it stays."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

_PROGRAMS = Path("/usr/lib/postgresql")
_START_SECONDS = "60"


class PostgresServer:
    """A context manager. `database()` makes an empty database and gives its URL.

    `durable=False` is for tests that do not cut power: no fsync. `kill` ends it as a crash does; `start` again after.
    """

    def __init__(self, *, durable: bool = False, listen: str = "127.0.0.1") -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="linekeeper-postgres-"))
        self._durable = durable
        self._listen = listen
        self.port = free_port()
        self._names = itertools.count(1)

    def __enter__(self) -> Self:
        try:
            self._create()
            self.start()
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start, and wait until it takes connections."""
        sync = "on" if self._durable else "off"
        options = (
            f"-p {self.port} -k {self._folder} -c listen_addresses={self._listen} -c max_connections=200"
            f" -c fsync={sync} -c full_page_writes={sync} -c shared_buffers=64MB"
        )
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", self._data, "-l", log, "-o", options, "-w", "-t", _START_SECONDS, "start")

    def stop(self) -> None:
        """Stop without waiting for clients. Nothing happens where it does not run."""
        if (self._folder / "data" / "postmaster.pid").exists():
            self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop", check=False)

    def kill(self) -> None:
        """Kill -9 of the postmaster and each of its children, as a crash of the machine would end them."""
        pid = (self._folder / "data" / "postmaster.pid").read_text().split()[0]
        subprocess.run(["pkill", "-9", "-P", pid], check=False)
        os.kill(int(pid), signal.SIGKILL)
        # Children that were born in between are given up by the kernel's own notice of their postmaster's death.
        subprocess.run(["pkill", "-9", "-f", f"postgres.*{self._folder}"], check=False)
        # Where nobody reaps it, the dead postmaster still has its number, and a new one would take it for alive.
        (self._folder / "data" / "postmaster.pid").unlink(missing_ok=True)
        for lock in self._folder.glob(".s.PGSQL.*"):
            lock.unlink()

    def database(self, host: str | None = None, *, like: str | None = None) -> str:
        """The URL of a new database: empty, or as the one with the URL `like` is, which nobody may use meanwhile."""
        name = f"collector_{next(self._names)}"
        template = [] if like is None else ["-T", like.rpartition("/")[2]]
        self._run("createdb", "-h", str(self._folder), "-p", str(self.port), *template, name)
        return f"postgresql://postgres@{host or self._listen}:{self.port}/{name}"

    def drop(self, url: str) -> None:
        """Remove a database, whoever uses it; what was never written to the disk then never is."""
        name = url.rpartition("/")[2]
        self._run("dropdb", "--force", "-h", str(self._folder), "-p", str(self.port), name, check=False)

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def _create(self) -> None:
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres", "postgres")
        options = () if self._durable else ("--no-sync",)
        self._run("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", *options)
        if self._listen != "127.0.0.1":
            with (self._folder / "data" / "pg_hba.conf").open("a") as rules:
                rules.write("host all all 0.0.0.0/0 trust\n")

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        command = [str(_newest() / program), *arguments]
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root; Debian's package brings this user.
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
        elif program in {"createdb", "dropdb"}:
            command[1:1] = ["-U", "postgres"]
        output = self._folder / "output"
        with output.open("ab") as sink:
            done = subprocess.run(command, stdout=sink, stderr=sink, cwd=self._folder, check=False)
        if check and done.returncode:
            raise RuntimeError(f"{program} failed: {output.read_text(errors='replace')[-2000:]}")


def free_port() -> int:
    """A TCP port that nobody listens at right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _newest() -> Path:
    versions = sorted(_PROGRAMS.iterdir(), key=lambda folder: float(folder.name))
    return versions[-1] / "bin"
