"""The site: an appliance with its data folder and its sync service, in the namespace at the far side of the wire."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.program import Program
from firmware.storage.store_files import DATABASE_FILE
from outages.network import Network

LINEKEEPER = Path(sys.executable).with_name("linekeeper")
_REQUEST_TIMEOUT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Site:
    """Where everything of the appliance is."""

    folder: Path
    config: Path

    @property
    def data_dir(self) -> Path:
        """Its records and recordings."""
        return self.folder / "data"

    def queued(self) -> int:
        """How many records wait, read beside the service."""
        with closing(sqlite3.connect(f"{(self.data_dir / DATABASE_FILE).as_uri()}?mode=ro", uri=True)) as db:
            db.execute("PRAGMA busy_timeout = 10000")
            return int(db.execute("SELECT count(*) FROM outbox").fetchone()[0])

    def sync_status(self) -> dict[str, Any]:
        """What the command says."""
        command = Network.in_site(str(LINEKEEPER), "--config", str(self.config), "sync", "status", "--json")
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=_environment())
        status: dict[str, Any] = json.loads(done.stdout)
        return status

    def sender(self, program: Sequence[str] = (str(LINEKEEPER),)) -> Program:
        """The sync service, not started."""
        command = Network.in_site(*program, "--config", str(self.config), "run", "sync")
        return Program(command, self.folder / "sync.log", _environment())


def make_site(folder: Path, url: str, claim: str, authority_pem: bytes) -> Site:
    """Configure an appliance whose data lies in `folder/data` already."""
    authority = folder / "authority.pem"
    authority.write_bytes(authority_pem)
    (folder / "run").mkdir()
    config = folder / "linekeeper.yaml"
    config.write_text(
        f"data_dir: {folder / 'data'}\n"
        f"run_dir: {folder / 'run'}\n"
        "lines: [{name: front, port: /dev/null}]\n"
        "sync:\n"
        "  mode: collector\n"
        f"  url: {url}\n"
        f"  claim: {claim}\n"
        f"  authority_file: {authority}\n"
        "  spread_seconds: 0\n"
        f"  request_timeout_seconds: {_REQUEST_TIMEOUT_SECONDS}\n",
        encoding="utf-8",
    )
    return Site(folder, config)


def _environment() -> dict[str, str]:
    # A proxy of the machine that this runs on is no part of the laboratory.
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
